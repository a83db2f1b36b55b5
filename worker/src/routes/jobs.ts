import { createRoute } from '@hono/zod-openapi'
import { JobId, JobStatus } from '@mist/db/contract'
import { z } from 'zod'
import { Job } from '../contract/jobs.ts'
import { pageOf, PageQuery } from '../contract/pages.ts'
import { requireAdmin } from '../middleware/credentials.ts'
import { answers, makeRouter, refusals } from './router.ts'

const tags = ['jobs']
const middleware = [requireAdmin]
const params = z.object({ jobId: JobId })
const common = refusals('signed-out', 'forbidden', 'account-blocked')

export const jobRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/',
      tags,
      summary: 'Jobs, the newest first',
      middleware,
      request: { query: PageQuery.extend({ status: JobStatus.optional() }) },
      responses: {
        200: answers('A page of jobs.', pageOf(Job)),
        ...common,
        ...refusals('validation-failed'),
      },
    }),
    async (c) => {
      const { status, ...query } = c.req.valid('query')
      return c.json(await c.var.deps.jobs.list(query, status ?? null), 200)
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{jobId}',
      tags,
      summary: 'One job',
      middleware,
      request: { params },
      responses: { 200: answers('The job.', Job), ...common, ...refusals('not-found') },
    }),
    async (c) => c.json(await c.var.deps.jobs.find(c.req.valid('param').jobId), 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/{jobId}/retry',
      tags,
      summary: 'Queue a failed job again',
      middleware,
      request: { params },
      responses: {
        202: answers('Queued again.', Job),
        ...common,
        ...refusals('not-found', 'job-not-retryable', 'unavailable'),
      },
    }),
    async (c) => {
      const { jobId } = c.req.valid('param')
      return c.json(await c.var.deps.jobs.retry(jobId, c.var.actor), 202)
    },
  )
