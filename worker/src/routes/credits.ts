import { createRoute } from '@hono/zod-openapi'
import { Credit, CreditsQuery } from '../contract/credits.ts'
import { pageOf } from '../contract/pages.ts'
import { answers, makeRouter, refusals } from './router.ts'

/** Who is to be named; open to all. */
export const creditRoutes = makeRouter().openapi(
  createRoute({
    method: 'get',
    path: '/',
    tags: ['catalogue'],
    summary: 'Tracks whose licence asks for a credit, the newest first',
    request: { query: CreditsQuery },
    responses: {
      200: answers('A page of credits.', pageOf(Credit)),
      ...refusals('validation-failed', 'unavailable'),
    },
  }),
  async (c) => c.json(await c.var.deps.tracks.credits(c.req.valid('query')), 200),
)
