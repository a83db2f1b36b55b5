import { createRoute } from '@hono/zod-openapi'
import { SessionId } from '@mist/db/contract'
import type { Context } from 'hono'
import { z } from 'zod'
import type { AppEnv } from '../app-env.ts'
import {
  Completion,
  Heartbeat,
  Leases,
  ListeningSession,
  NewLeases,
  NewListeningSession,
  Position,
} from '../contract/listening.ts'
import { bearerToken, requireListener, readCredentials } from '../middleware/credentials.ts'
import { rateLimit } from '../middleware/rate-limit.ts'
import { noSessionToken, sessionToken } from '../middleware/session-token.ts'
import { Problem } from '../problem.ts'
import type { Reporter } from '../services/listening-service.ts'
import { originsOf } from './media-base.ts'
import { answers, makeRouter, refusals, takes } from './router.ts'

const tags = ['listening']
const params = z.object({ id: SessionId })
const positionRefusals = refusals(
  'signed-out',
  'account-blocked',
  'not-found',
  'superseded',
  'session-ended',
  'validation-failed',
  'invalid-position',
  'unavailable',
)

export const listeningSessionRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/',
      tags,
      summary: 'Press play: a session, its playlists, its init segments and its first key',
      middleware: [rateLimit('keys'), requireListener],
      request: { body: takes(NewListeningSession) },
      responses: {
        200: answers('The live session on this track goes on.', ListeningSession),
        201: answers('A new session.', ListeningSession),
        ...refusals(
          'signed-out',
          'quota-exhausted',
          'account-blocked',
          'not-found',
          'track-not-ready',
          'validation-failed',
          'too-early',
          'rate-limited',
          'unavailable',
        ),
      },
    }),
    async (c) => {
      const { deps, listener } = c.var
      const { isResumed, session } = await deps.listening.start(
        listener,
        c.req.valid('json'),
        originsOf(c),
      )
      return isResumed ? c.json(session, 200) : c.json(session, 201)
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/{id}/leases',
      tags,
      summary: 'Lease the keys of one to three periods in a row; this is what debits the budget',
      description:
        'Needs the session’s token: `Authorization: Bearer …`. Grants as many as the day and the pace allow, at least one or a refusal. Periods that are paid for cost nothing again.',
      middleware: [rateLimit('keys')],
      request: { params, body: takes(NewLeases) },
      responses: {
        200: answers('The keys.', Leases),
        ...refusals(
          'session-token-invalid',
          'signed-out',
          'quota-exhausted',
          'account-blocked',
          'not-found',
          'superseded',
          'session-ended',
          'validation-failed',
          'too-early',
          'rate-limited',
          'unavailable',
        ),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const found = await sessionToken(c)
      if (!found) throw noSessionToken()
      c.header('cache-control', 'no-store')
      return c.json(
        await c.var.deps.listening.leaseKeys(found.claims, id, c.req.valid('json')),
        200,
      )
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/{id}/heartbeat',
      tags,
      summary: 'Report the position; renews the session token',
      request: { params, body: takes(Position) },
      responses: { 200: answers('Noted.', Heartbeat), ...positionRefusals },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const by = await reporterOf(c, id)
      return c.json(
        await c.var.deps.listening.heartbeat(by, id, c.req.valid('json').positionS),
        200,
      )
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/{id}/complete',
      tags,
      summary: 'Report the end of play; the session ends',
      request: { params, body: takes(Position) },
      responses: { 200: answers('Noted.', Completion), ...positionRefusals },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const by = await reporterOf(c, id)
      return c.json(await c.var.deps.listening.complete(by, id, c.req.valid('json').positionS), 200)
    },
  )

/** The credentials that may report for a session: its own token, or its listener's access token. */
async function reporterOf(c: Context<AppEnv>, sessionId: SessionId): Promise<Reporter> {
  const bearer = bearerToken(c)
  const session = bearer === null ? null : await c.var.deps.tokens.readSession(bearer)
  if (session) {
    if (session.sessionId !== sessionId)
      throw new Problem('not-found', 'This token is of another listening session.')
    return session
  }
  const listener = await readCredentials(c)
  if (!listener) throw new Problem('signed-out', 'Send the session token, or sign in.')
  return listener
}
