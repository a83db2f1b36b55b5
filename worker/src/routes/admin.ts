import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { requireAdmin } from '../middleware/credentials.ts'
import { answers, makeRouter, refusals } from './router.ts'

export const adminRoutes = makeRouter().openapi(
  createRoute({
    method: 'post',
    path: '/retranscode',
    tags: ['admin'],
    summary: 'Make all published tracks anew from their originals, after a change of the ladder',
    middleware: [requireAdmin],
    responses: {
      202: answers('How many tracks will be made, a few at a time.', z.object({ queued: z.int() })),
      ...refusals('signed-out', 'forbidden', 'account-blocked', 'unavailable'),
    },
  }),
  async (c) => c.json({ queued: await c.var.deps.jobs.retranscodeAll(c.var.actor) }, 202),
)
