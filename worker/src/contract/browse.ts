import { AlbumId, ArtistId } from '@mist/db/contract'
import { z } from 'zod'
import { Album } from './catalogue.ts'
import { PageQuery } from './pages.ts'
import { Track } from './tracks.ts'

/** Names and slugs of genres that people give, in code points. */
const GenreName = z.string().min(1).max(300)

const year = z.coerce.number().int().min(0).max(9999).optional()
const bpm = z.coerce.number().min(0).max(1000).optional()
const seconds = z.coerce.number().min(0).max(1_000_000).optional()

/** Keys as tracks have them: `F# minor`. */
const MusicalKey = z
  .string()
  .regex(/^[A-G][#b]? (?:major|minor)$/, 'Name a key such as “F# minor”.')

/** How tracks are asked for; what is not given asks for nothing. */
export const TracksQuery = PageQuery.extend({
  /** A slug, or any spelling of a genre. */
  genre: GenreName.optional(),
  artistId: ArtistId.optional(),
  albumId: AlbumId.optional(),
  yearFrom: year,
  yearTo: year,
  bpmFrom: bpm,
  bpmTo: bpm,
  key: MusicalKey.optional(),
  durationFromS: seconds,
  durationToS: seconds,
  sort: z.enum(['newest', 'title']).default('newest'),
})
export type TracksQuery = z.infer<typeof TracksQuery>
export type TrackFilter = Omit<TracksQuery, 'limit' | 'cursor' | 'sort'>

export const ArtistsQuery = PageQuery.extend({ sort: z.enum(['name', 'newest']).default('name') })
export type ArtistsQuery = z.infer<typeof ArtistsQuery>

export const AlbumsQuery = PageQuery.extend({
  sort: z.enum(['title', 'newest']).default('title'),
  artistId: ArtistId.optional(),
  genre: GenreName.optional(),
})
export type AlbumsQuery = z.infer<typeof AlbumsQuery>
export type AlbumFilter = Pick<AlbumsQuery, 'artistId' | 'genre'>

/** An album and its tracks, in order of disc and track. */
export const AlbumWithTracks = Album.extend({ tracks: z.array(Track) }).meta({
  id: 'AlbumWithTracks',
})
export type AlbumWithTracks = z.infer<typeof AlbumWithTracks>

export const Genre = z
  .object({ slug: z.string(), name: z.string(), trackCount: z.int() })
  .meta({ id: 'Genre' })
export type Genre = z.infer<typeof Genre>
