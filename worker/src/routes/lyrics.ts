import { createRoute } from '@hono/zod-openapi'
import { TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { NewLyrics, TrackLyrics } from '../contract/lyrics.ts'
import { requireAdmin } from '../middleware/credentials.ts'
import { answers, makeRouter, refusals, takes } from './router.ts'

const params = z.object({ id: TrackId })

/** What is sung in a track: open to all, written by admins. */
export const lyricsRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}/lyrics',
      tags: ['catalogue'],
      summary: 'Lyrics, with the time of each line where somebody has timed them',
      request: { params },
      responses: {
        200: answers('The lyrics.', TrackLyrics),
        ...refusals('not-found', 'unavailable'),
      },
    }),
    async (c) => c.json(await c.var.deps.lyrics.find(c.req.valid('param').id), 200),
  )
  .openapi(
    createRoute({
      method: 'put',
      path: '/{id}/lyrics',
      tags: ['admin'],
      summary: "Write lyrics, as LRC or plain lines, in place of the file's",
      middleware: [requireAdmin],
      request: { params, body: takes(NewLyrics) },
      responses: {
        200: answers('The lyrics as they are now; no lines where the text was empty.', TrackLyrics),
        ...refusals(
          'signed-out',
          'forbidden',
          'account-blocked',
          'not-found',
          'validation-failed',
          'unavailable',
        ),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      return c.json(await c.var.deps.lyrics.write(id, c.req.valid('json'), c.var.actor), 200)
    },
  )
