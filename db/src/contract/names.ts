import { z } from 'zod'

/** What an artist did on a track; main and featured artists are credited with its plays. */
export const ArtistRole = z.enum(['main', 'featured', 'remixer', 'composer'])
export type ArtistRole = z.infer<typeof ArtistRole>

export const AlbumKind = z.enum(['album', 'ep', 'single', 'compilation'])
export type AlbumKind = z.infer<typeof AlbumKind>

/** Whose albums compilations are, so that all their tracks come together. */
export const VARIOUS_ARTISTS = 'Various Artists'

/**
 * Written behind the name of an artist, or the title of an album, that another one bears already, once
 * for each of them: INVISIBLE SEPARATOR, which `cleanText` leaves in no name that somebody gives. Programs
 * of release 0.1.0 find artists by `on conflict (lower(name))`, so until none of them runs the stored
 * names differ. Whoever shows a name takes the mark off.
 */
export const NAMESAKE_MARK = '\u2063'

/**
 * The key of a name: two names with the same key are the same name. NFKC, in small letters as Unicode
 * folds case (CaseFolding.txt: ß is ss, a final ς is σ), with single spaces; never without accents, for
 * Mø is not Mo. A name of which nothing is left is its own key.
 */
export function nameKey(name: string): string {
  const key = name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .normalize('NFKC')
    .replace(/\s+/gu, ' ')
    .trim()
  return key === '' ? name.trim() : key
}

/** What a search finds. */
export const SEARCH_TYPES = ['track', 'artist', 'album'] as const
export const SearchType = z.enum(SEARCH_TYPES)
export type SearchType = z.infer<typeof SearchType>
