import { createRoute } from '@hono/zod-openapi'
import { ArtistId } from '@mist/db/contract'
import { z } from 'zod'
import { AlbumsQuery, ArtistsQuery, TracksQuery } from '../contract/browse.ts'
import { Album, Artist } from '../contract/catalogue.ts'
import { pageOf, PageQuery } from '../contract/pages.ts'
import { Track } from '../contract/tracks.ts'
import { cachedForVisitors } from '../middleware/catalogue-cache.ts'
import { absoluteMediaBase } from './media-base.ts'
import { answers, makeRouter, refusals } from './router.ts'

const params = z.object({ id: ArtistId })

/** Who made the music; open to all. */
export const artistRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/',
      tags: ['catalogue'],
      summary: 'Artists, by name or the newest first',
      middleware: [cachedForVisitors(ArtistsQuery)],
      request: { query: ArtistsQuery },
      responses: {
        200: answers('A page of artists.', pageOf(Artist)),
        ...refusals('validation-failed', 'unavailable'),
      },
    }),
    async (c) =>
      c.json(await c.var.deps.browse.artists(c.req.valid('query'), absoluteMediaBase(c)), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}',
      tags: ['catalogue'],
      summary: 'One artist; one who was merged leads to whom they were merged into',
      request: { params },
      responses: { 200: answers('The artist.', Artist), ...refusals('not-found', 'unavailable') },
    }),
    async (c) =>
      c.json(await c.var.deps.browse.artist(c.req.valid('param').id, absoluteMediaBase(c)), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}/albums',
      tags: ['catalogue'],
      summary: 'An artist’s albums, the newest first',
      middleware: [cachedForVisitors(PageQuery)],
      request: { params, query: PageQuery },
      responses: {
        200: answers('A page of albums.', pageOf(Album)),
        ...refusals('not-found', 'validation-failed', 'unavailable'),
      },
    }),
    async (c) => {
      const { browse } = c.var.deps
      const artistId = await browse.artistId(c.req.valid('param').id)
      const query = AlbumsQuery.parse({ ...c.req.valid('query'), artistId, sort: 'newest' })
      return c.json(await browse.albums(query, absoluteMediaBase(c)), 200)
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/{id}/tracks',
      tags: ['catalogue'],
      summary: 'Tracks that an artist had a part in, the newest first',
      middleware: [cachedForVisitors(PageQuery)],
      request: { params, query: PageQuery },
      responses: {
        200: answers('A page of tracks.', pageOf(Track)),
        ...refusals('not-found', 'validation-failed', 'unavailable'),
      },
    }),
    async (c) => {
      const { browse, tracks } = c.var.deps
      const artistId = await browse.artistId(c.req.valid('param').id)
      const query = TracksQuery.parse({ ...c.req.valid('query'), artistId })
      return c.json(await tracks.list(query, absoluteMediaBase(c)), 200)
    },
  )
