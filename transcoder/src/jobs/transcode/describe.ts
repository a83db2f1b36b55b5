import { cleanText, MAX_ATTRIBUTION_CHARS, MAX_NAME_CHARS, type JobKind } from '@mist/db/contract'
import type { UploadMetadata } from '@mist/db/schema'
import type { Tags } from './tags.ts'

/** Credited where neither the admin nor the file names an artist. */
const UNKNOWN_ARTIST = 'Unknown artist'

/** What is to change of a track's description; undefined stays as it is. */
export type Description = {
  title?: string | undefined
  artists?: string[] | undefined
  /** Whose album it is; where there is none of its own, the first artist's. */
  albumArtist: string
  album?: string | undefined
  genres?: string[] | undefined
  year?: number | undefined
  trackNumber?: number | undefined
  attribution?: string | undefined
}

/**
 * Decides what a job says about its track. What the admin typed at the upload wins. Of a new track
 * the file's tags tell the rest; of one that is there already they don't, since an admin may have
 * corrected it.
 */
export function describe(kind: JobKind, metadata: UploadMetadata, tags: Tags): Description {
  const typed = cleaned(metadata)
  if (kind === 'retranscode' || kind === 'reembed') return { albumArtist: UNKNOWN_ARTIST }
  if (kind === 'replace') return { ...typed, albumArtist: typed.artists?.[0] ?? UNKNOWN_ARTIST }
  const artists = typed.artists ?? (tags.artists.length > 0 ? tags.artists : [UNKNOWN_ARTIST])
  return {
    title: typed.title ?? tags.title ?? undefined,
    artists,
    // A compilation stays one, whoever the admin says its tracks are by.
    albumArtist:
      (typed.artists === undefined || tags.isCompilation ? tags.albumArtist : null) ?? artists[0]!,
    album: typed.album ?? tags.album ?? undefined,
    genres: typed.genres ?? tags.genres,
    year: typed.year ?? tags.year ?? undefined,
    trackNumber: typed.trackNumber ?? tags.trackNumber ?? undefined,
    attribution: typed.attribution,
  }
}

function cleaned(metadata: UploadMetadata): UploadMetadata {
  return {
    ...metadata,
    title: text(metadata.title),
    album: text(metadata.album),
    attribution: text(metadata.attribution, MAX_ATTRIBUTION_CHARS),
    artists: list(metadata.artists),
    genres: list(metadata.genres),
  }
}

function text(value: string | undefined, maxChars = MAX_NAME_CHARS): string | undefined {
  const clean = cleanText(value ?? '', maxChars)
  return clean === '' ? undefined : clean
}

function list(values: string[] | undefined): string[] | undefined {
  const clean = [
    ...new Set((values ?? []).map((each) => cleanText(each)).filter((each) => each !== '')),
  ]
  return clean.length === 0 ? undefined : clean
}
