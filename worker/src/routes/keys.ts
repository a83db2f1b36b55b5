import { createRoute } from '@hono/zod-openapi'
import { TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { rateLimit } from '../middleware/rate-limit.ts'
import { makeRouter, refusals } from './router.ts'
import { noSessionToken, sessionToken } from '../middleware/session-token.ts'
import { Problem } from '../problem.ts'

export const keyRoutes = makeRouter()

// Documented here and read by hand below: a key is what a player of HLS asks for every few seconds,
// and checking its address against the token is cheaper than parsing it.
keyRoutes.openAPIRegistry.registerPath(
  createRoute({
    method: 'get',
    path: '/{trackId}/{version}/{period}',
    tags: ['media'],
    summary: 'Lease the key of one period; this is what debits the budget',
    description:
      'Needs a session token: `Authorization: Bearer …` or `?token=`. The same period again costs nothing.',
    request: {
      params: z.object({
        trackId: TrackId,
        version: z.int().min(1),
        period: z.int().min(0),
      }),
      query: z.object({ token: z.string().optional() }),
    },
    responses: {
      200: {
        description: '16 bytes of AES-128 key.',
        content: {
          'application/octet-stream': {
            schema: z.string().meta({ type: 'string', format: 'binary' }),
          },
        },
      },
      ...refusals(
        'session-token-invalid',
        'signed-out',
        'quota-exhausted',
        'account-blocked',
        'wrong-track',
        'not-found',
        'superseded',
        'session-ended',
        'too-early',
        'rate-limited',
        'unavailable',
      ),
    },
  }),
)

/** Of every answer with a key. */
const KEY = { headers: { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' } }

/** A number in a path that fits Postgres's integer; anything else is the address of nothing. */
function pathInteger(text: string, min: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= 2_147_483_647))
    throw new Problem('not-found', 'There is nothing at this address.')
  return value
}

keyRoutes.get('/:trackId/:version/:period', rateLimit('keys'), async (c) => {
  const version = pathInteger(c.req.param('version'), 1)
  const period = pathInteger(c.req.param('period'), 0)
  const found = await sessionToken(c)
  if (!found) throw noSessionToken()
  const { listening } = c.var.deps
  const key = await listening.leaseKey(found.claims, c.req.param('trackId'), version, period)
  return new Response(key, KEY)
})
