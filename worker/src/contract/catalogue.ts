import { AlbumId, AlbumKind, ArtistId } from '@mist/db/contract'
import { z } from 'zod'

/** Addresses of a cover, by its edge in pixels. */
export const CoverUrls = z
  .object({ '96': z.url(), '320': z.url(), '800': z.url() })
  .meta({ id: 'CoverUrls' })
export type CoverUrls = z.infer<typeof CoverUrls>

export const ArtistName = z.object({ id: ArtistId, name: z.string() })
export type ArtistName = z.infer<typeof ArtistName>

/** Somebody who made what listeners may hear. */
export const Artist = z
  .object({
    id: ArtistId,
    name: z.string(),
    /** What lists are sorted by: "Beatles, The". */
    sortName: z.string(),
    coverUrls: CoverUrls.nullable(),
    /** Names of up to five, the most frequent first. */
    genres: z.array(z.string()),
    trackCount: z.int(),
    albumCount: z.int(),
    /** Of the tracks where they are a main or featured artist. */
    playCount: z.int(),
  })
  .meta({ id: 'Artist' })
export type Artist = z.infer<typeof Artist>

/** An album of which listeners may hear something. */
export const Album = z
  .object({
    id: AlbumId,
    title: z.string(),
    artists: z.array(ArtistName),
    year: z.int().nullable(),
    kind: AlbumKind.nullable(),
    coverUrls: CoverUrls.nullable(),
    durationS: z.number(),
    trackCount: z.int(),
  })
  .meta({ id: 'Album' })
export type Album = z.infer<typeof Album>
