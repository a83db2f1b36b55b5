import { createRoute } from '@hono/zod-openapi'
import { TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { rateLimit } from '../middleware/rate-limit.ts'
import { makeRouter, refusals } from './router.ts'
import { noSessionToken, sessionToken } from '../middleware/session-token.ts'

/** A number in a path that fits Postgres's integer; anything else is the address of nothing. */
const pathInteger = (min: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(2_147_483_647))

export const keyRoutes = makeRouter().openapi(
  createRoute({
    method: 'get',
    path: '/{trackId}/{version}/{period}',
    tags: ['media'],
    summary: 'Lease the key of one period; this is what debits the budget',
    description:
      'Needs a session token: `Authorization: Bearer …` or `?token=`. The same period again costs nothing.',
    middleware: [rateLimit('keys')],
    request: {
      params: z.object({ trackId: TrackId, version: pathInteger(1), period: pathInteger(0) }),
      query: z.object({ token: z.string().max(4000).optional() }),
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
  async (c) => {
    const found = await sessionToken(c)
    if (!found) throw noSessionToken()
    const { trackId, version, period } = c.req.valid('param')
    const key = await c.var.deps.listening.leaseKey(found.claims, trackId, version, period)
    return c.body(key, 200, {
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
    })
  },
)
