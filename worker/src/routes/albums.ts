import { createRoute } from '@hono/zod-openapi'
import { AlbumId } from '@mist/db/contract'
import { z } from 'zod'
import { AlbumsQuery, AlbumWithTracks, Genre } from '../contract/browse.ts'
import { Album } from '../contract/catalogue.ts'
import { pageOf } from '../contract/pages.ts'
import { cachedForVisitors } from '../middleware/catalogue-cache.ts'
import { absoluteMediaBase } from './media-base.ts'
import { answers, makeRouter, refusals } from './router.ts'

/** Albums; open to all. */
export const albumRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/',
      tags: ['catalogue'],
      summary: 'Albums, by title or the newest first',
      middleware: [cachedForVisitors(AlbumsQuery)],
      request: { query: AlbumsQuery },
      responses: {
        200: answers('A page of albums.', pageOf(Album)),
        ...refusals('validation-failed', 'unavailable'),
      },
    }),
    async (c) =>
      c.json(await c.var.deps.browse.albums(c.req.valid('query'), absoluteMediaBase(c)), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}',
      tags: ['catalogue'],
      summary: 'An album with its tracks, in order of disc and track',
      request: { params: z.object({ id: AlbumId }) },
      responses: {
        200: answers('The album.', AlbumWithTracks),
        ...refusals('not-found', 'unavailable'),
      },
    }),
    async (c) =>
      c.json(await c.var.deps.browse.album(c.req.valid('param').id, absoluteMediaBase(c)), 200),
  )

/** Genres; open to all. */
export const genreRoutes = makeRouter().openapi(
  createRoute({
    method: 'get',
    path: '/',
    tags: ['catalogue'],
    summary: 'Genres, those of most tracks first',
    middleware: [cachedForVisitors(z.object({}))],
    responses: {
      200: answers('At most 500.', z.object({ items: z.array(Genre) })),
      ...refusals('unavailable'),
    },
  }),
  async (c) => c.json({ items: await c.var.deps.browse.genres() }, 200),
)
