import { createRoute } from '@hono/zod-openapi'
import { ListeningTotals, Play } from '../contract/listening.ts'
import { pageOf, PageQuery } from '../contract/pages.ts'
import { requireListener } from '../middleware/credentials.ts'
import { absoluteMediaBase } from './media-base.ts'
import { answers, makeRouter, refusals } from './router.ts'

const tags = ['listening']
const middleware = [requireListener]

export const meRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/history',
      tags,
      summary: 'Plays that counted, the latest first',
      middleware,
      request: { query: PageQuery },
      responses: {
        200: answers('A page of plays.', pageOf(Play)),
        ...refusals('signed-out', 'account-blocked', 'validation-failed', 'unavailable'),
      },
    }),
    async (c) => {
      const { deps, listener } = c.var
      const page = await deps.history.list(listener, c.req.valid('query'), absoluteMediaBase(c))
      return c.json(page, 200)
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/totals',
      tags,
      summary: 'How many plays counted, and how many reached the end',
      middleware,
      responses: {
        200: answers('Totals.', ListeningTotals),
        ...refusals('signed-out', 'account-blocked', 'unavailable'),
      },
    }),
    async (c) => c.json(await c.var.deps.history.totals(c.var.listener), 200),
  )
