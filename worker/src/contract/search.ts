import { lineOfText, SEARCH_TYPES } from '@mist/db/contract'
import { z } from 'zod'
import { Album, Artist, CoverUrls } from './catalogue.ts'
import { pageOf } from './pages.ts'
import { Track } from './tracks.ts'

/** Longest text that is looked for, in code points. */
const MAX_QUERY_CHARS = 200

const q = lineOfText(0, MAX_QUERY_CHARS).default('')

/** What can be asked for; there are no playlists to be found yet. */
const TYPES = [...SEARCH_TYPES, 'playlist'] as const

export const SearchQuery = z.object({
  q,
  /** Of `track`, `artist`, `album` and `playlist`, with commas; all without it. */
  types: z
    .string()
    .max(100)
    .regex(
      new RegExp(`^(?:${TYPES.join('|')})(?:,(?:${TYPES.join('|')}))*$`),
      `Name types with commas: ${TYPES.join(',')}.`,
    )
    .default(TYPES.join(',')),
  /** Of each type. */
  limit: z.coerce.number().int().min(1).max(50).default(10),
})
export type SearchQuery = z.infer<typeof SearchQuery>

export const SuggestionsQuery = z.object({
  q,
  limit: z.coerce.number().int().min(1).max(20).default(8),
})
export type SuggestionsQuery = z.infer<typeof SuggestionsQuery>

/** What was written in the box as `genre:jazz year:1990-1999 bpm:100-130`; null is not asked for. */
export const SearchFilters = z.object({
  genre: z.string().nullable(),
  yearFrom: z.int().nullable(),
  yearTo: z.int().nullable(),
  bpmFrom: z.number().nullable(),
  bpmTo: z.number().nullable(),
})
export type SearchFilters = z.infer<typeof SearchFilters>

/** What was found, of each type the best first. Each is one page: there is no next one. */
export const SearchAnswer = z
  .object({
    query: z.object({ text: z.string(), filters: SearchFilters }),
    tracks: pageOf(Track),
    artists: pageOf(Artist),
    albums: pageOf(Album),
    // There are none to be found yet; the document needs a type all the same.
    playlists: pageOf(z.object({ id: z.uuid(), title: z.string() })),
  })
  .meta({ id: 'SearchAnswer' })
export type SearchAnswer = z.infer<typeof SearchAnswer>

export const Suggestion = z
  .object({
    type: z.enum(SEARCH_TYPES),
    id: z.uuid(),
    title: z.string(),
    /** Whose it is; null of an artist. */
    subtitle: z.string().nullable(),
    coverUrls: CoverUrls.nullable(),
  })
  .meta({ id: 'Suggestion' })
export type Suggestion = z.infer<typeof Suggestion>
