import { createRoute } from '@hono/zod-openapi'
import { JobId, UploadId } from '@mist/db/contract'
import { z } from 'zod'
import { NewUpload, UploadCompletion, UploadTicket } from '../contract/uploads.ts'
import { requireAdmin } from '../middleware/credentials.ts'
import { rateLimit } from '../middleware/rate-limit.ts'
import { answers, makeRouter, refusals, takes } from './router.ts'

const tags = ['uploads']
const middleware = [rateLimit('uploads'), requireAdmin]
const params = z.object({ uploadId: UploadId })
const common = refusals('signed-out', 'forbidden', 'account-blocked', 'rate-limited', 'unavailable')

export const uploadRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/',
      tags,
      summary: 'Announce a file; the answer tells where to send its bytes',
      middleware,
      request: { body: takes(NewUpload) },
      responses: {
        201: answers('Where to send the bytes.', UploadTicket),
        ...common,
        ...refusals('upload-too-large', 'unsupported-type', 'validation-failed'),
      },
    }),
    async (c) => c.json(await c.var.deps.uploads.create(c.req.valid('json'), c.var.actor), 201),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{uploadId}',
      tags,
      summary: 'Fresh URLs for an upload that goes on, and which parts are stored',
      middleware,
      request: { params },
      responses: {
        200: answers('Where to send the rest.', UploadTicket),
        ...common,
        ...refusals('not-found', 'upload-incomplete'),
      },
    }),
    async (c) => c.json(await c.var.deps.uploads.resume(c.req.valid('param').uploadId), 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/{uploadId}/complete',
      tags,
      summary: 'Say that the bytes are there; the job is queued',
      middleware,
      request: {
        params,
        body: { required: false, content: { 'application/json': { schema: UploadCompletion } } },
      },
      responses: {
        202: answers('Queued.', z.object({ jobId: JobId, status: z.literal('queued') })),
        ...common,
        ...refusals('not-found', 'upload-incomplete'),
      },
    }),
    async (c) => {
      const { uploadId } = c.req.valid('param')
      const { deps, actor } = c.var
      return c.json(await deps.uploads.complete(uploadId, c.req.valid('json'), actor), 202)
    },
  )
