import { createRoute } from '@hono/zod-openapi'
import { QuotaShape } from '../contract/listening.ts'
import { requireListener } from '../middleware/credentials.ts'
import { answers, makeRouter, refusals } from './router.ts'

export const quotaRoutes = makeRouter().openapi(
  createRoute({
    method: 'get',
    path: '/',
    tags: ['listening'],
    summary: "Today's listening budget",
    middleware: [requireListener],
    responses: {
      200: answers('Seconds; the day is UTC.', QuotaShape),
      ...refusals('signed-out', 'account-blocked', 'unavailable'),
    },
  }),
  async (c) => c.json(await c.var.deps.listening.quota(c.var.listener), 200),
)
