import {
  cleanText,
  MAX_ATTRIBUTION_CHARS,
  MAX_NAME_CHARS,
  TRACK_FIELDS,
  type JobKind,
  type TrackField,
} from '@mist/db/contract'
import type { UploadMetadata } from '@mist/db/schema'
import type { Tags } from './tags.ts'

/** Credited where neither the admin nor the file names an artist. */
const UNKNOWN_ARTIST = 'Unknown artist'

/** What is to change of a track's description: undefined stays as it is, null is nothing. */
export type Description = {
  title?: string | undefined
  artists?: string[] | undefined
  /** Whose album it is; `creditTrack` says what holds where nobody says. */
  albumArtist?: string | undefined
  /** Null takes the track off its album. */
  album?: string | null | undefined
  genres?: string[] | undefined
  year?: number | null | undefined
  trackNumber?: number | null | undefined
  attribution?: string | undefined
  /** Identifiers of MusicBrainz's, by the names of artists. */
  mbids?: Record<string, string> | undefined
  albumMbid?: string | undefined
}

/**
 * Decides what a job says about its track. What the admin typed at the upload wins, and what an admin
 * wrote since then stays. Of a new track the file's tags tell the rest, and when tags are read anew all
 * that nobody wrote. Of a track that gets new audio they don't.
 *
 * @param edited what an admin wrote already
 */
export function describe(
  kind: JobKind,
  metadata: UploadMetadata,
  tags: Tags,
  edited: readonly TrackField[],
): Description {
  const typed = cleaned(metadata)
  switch (kind) {
    case 'retranscode':
    case 'reembed':
      return {}
    case 'replace':
      return typed
    case 'ingest': {
      const artists = typed.artists ?? (tags.artists.length > 0 ? tags.artists : [UNKNOWN_ARTIST])
      const hasWrittenArtists = typed.artists !== undefined || edited.includes('artists')
      return unwritten(edited, {
        title: typed.title ?? tags.title ?? undefined,
        artists,
        albumArtist:
          albumArtistOf(tags, hasWrittenArtists) ??
          (edited.includes('artists') ? undefined : artists[0]),
        album: typed.album ?? tags.album ?? undefined,
        genres: typed.genres ?? tags.genres,
        year: typed.year ?? tags.year ?? undefined,
        trackNumber: typed.trackNumber ?? tags.trackNumber ?? undefined,
        attribution: typed.attribution,
        mbids: mbidsOf(tags),
        albumMbid: typed.album === undefined ? releaseOf(tags) : undefined,
      })
    }
    case 'retag':
      return unwritten(edited, {
        title: tags.title ?? undefined,
        artists: tags.artists.length > 0 ? tags.artists : undefined,
        albumArtist:
          albumArtistOf(tags, edited.includes('artists')) ??
          (edited.includes('artists') ? undefined : tags.artists[0]),
        album: tags.album,
        genres: tags.genres,
        year: tags.year,
        trackNumber: tags.trackNumber,
        mbids: mbidsOf(tags),
        albumMbid: releaseOf(tags),
      })
  }
}

/** A compilation stays one, whoever the admin says its tracks are by. */
function albumArtistOf(tags: Tags, hasWrittenArtists: boolean): string | null {
  return hasWrittenArtists && !tags.isCompilation ? null : tags.albumArtist
}

const releaseOf = ({ musicBrainz }: Tags) => musicBrainz.releaseId ?? undefined

/** Whose identifier is whose, where the file has one for each name. */
function mbidsOf({ artists, albumArtist, musicBrainz }: Tags): Record<string, string> | undefined {
  const { artistIds, albumArtistIds } = musicBrainz
  const found: Record<string, string> = {}
  const [albumArtistId] = albumArtistIds
  if (albumArtist !== null && albumArtistId !== undefined && albumArtistIds.length === 1)
    found[albumArtist] = albumArtistId
  if (artists.length === artistIds.length)
    for (const [at, name] of artists.entries()) found[name] = artistIds[at]!
  return Object.keys(found).length > 0 ? found : undefined
}

/** Leaves out what an admin wrote already. */
function unwritten(edited: readonly TrackField[], description: Description): Description {
  const rest = { ...description }
  for (const field of edited) delete rest[field]
  return rest
}

/** The fields that an upload's own words fill: from then on they count as written. */
export function typedFields(metadata: UploadMetadata): TrackField[] {
  const typed = cleaned(metadata)
  return TRACK_FIELDS.filter((field) => typed[field] !== undefined)
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
