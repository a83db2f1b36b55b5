import { createRoute } from '@hono/zod-openapi'
import { TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { TracksQuery } from '../contract/browse.ts'
import { pageOf } from '../contract/pages.ts'
import { SimilarTrack, Track, TrackAnalysis, TrackPatch } from '../contract/tracks.ts'
import { NewUpload, UploadTicket } from '../contract/uploads.ts'
import { cachedForVisitors } from '../middleware/catalogue-cache.ts'
import { requireAdmin } from '../middleware/credentials.ts'
import { rateLimit } from '../middleware/rate-limit.ts'
import { absoluteMediaBase } from './media-base.ts'
import { answers, makeRouter, refusals, takes } from './router.ts'

const params = z.object({ id: TrackId })

/** Reading the catalogue; open to all. */
export const trackRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/',
      tags: ['catalogue'],
      summary: 'Tracks, the newest first or by title, of what is asked for',
      middleware: [cachedForVisitors(TracksQuery)],
      request: { query: TracksQuery },
      responses: {
        200: answers('A page of tracks.', pageOf(Track)),
        ...refusals('validation-failed', 'unavailable'),
      },
    }),
    async (c) =>
      c.json(await c.var.deps.tracks.list(c.req.valid('query'), absoluteMediaBase(c)), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}',
      tags: ['catalogue'],
      summary: 'One track',
      request: { params },
      responses: { 200: answers('The track.', Track), ...refusals('not-found', 'unavailable') },
    }),
    async (c) =>
      c.json(await c.var.deps.tracks.find(c.req.valid('param').id, absoluteMediaBase(c)), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}/similar',
      tags: ['catalogue'],
      summary: 'Tracks that sound alike, the nearest first',
      request: {
        params,
        query: z.object({ limit: z.coerce.number().int().min(1).max(40).default(12) }),
      },
      responses: {
        200: answers(
          'Cosine similarity of the embeddings, −1 to 1.',
          z.object({ items: z.array(SimilarTrack) }),
        ),
        ...refusals('not-found', 'validation-failed', 'unavailable'),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { limit } = c.req.valid('query')
      const items = await c.var.deps.tracks.similar(id, limit, absoluteMediaBase(c))
      return c.json({ items }, 200)
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}/analysis',
      tags: ['catalogue'],
      summary: 'Waveform and named features',
      request: { params },
      responses: {
        200: answers('What the transcoder heard.', TrackAnalysis),
        ...refusals('not-found', 'unavailable'),
      },
    }),
    async (c) => c.json(await c.var.deps.tracks.analysis(c.req.valid('param').id), 200),
  )

const common = refusals('signed-out', 'forbidden', 'account-blocked', 'not-found', 'unavailable')

/** Changing the catalogue; for admins. */
export const trackAdminRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'patch',
      path: '/{id}',
      tags: ['admin'],
      summary: 'Correct a track’s title, artists and other text',
      middleware: [requireAdmin],
      request: { params, body: takes(TrackPatch) },
      responses: {
        200: answers('The track as it is now.', Track),
        ...common,
        ...refusals('validation-failed', 'track-not-ready'),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { deps, actor } = c.var
      const track = await deps.tracks.patch(id, c.req.valid('json'), actor, absoluteMediaBase(c))
      return c.json(track, 200)
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: '/{id}',
      tags: ['admin'],
      summary: 'Delete a track: its listening sessions end, its files go after a day',
      middleware: [requireAdmin],
      request: { params },
      responses: { 204: { description: 'Gone.' }, ...common },
    }),
    async (c) => {
      await c.var.deps.tracks.remove(c.req.valid('param').id, c.var.actor)
      return c.body(null, 204)
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/{id}/replace',
      tags: ['admin'],
      summary: "Announce a file that replaces a track's audio; running sessions keep the old one",
      middleware: [rateLimit('uploads'), requireAdmin],
      request: { params, body: takes(NewUpload) },
      responses: {
        201: answers('Where to send the bytes.', UploadTicket),
        ...common,
        ...refusals('upload-too-large', 'unsupported-type', 'validation-failed', 'rate-limited'),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { deps, actor } = c.var
      return c.json(await deps.uploads.create(c.req.valid('json'), actor, id), 201)
    },
  )
