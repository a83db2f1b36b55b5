import { cleanText, MAX_TRACK_ARTISTS, MAX_TRACK_GENRES } from '@mist/db/contract'
import type { Field, TagKind } from '../../tags/fields.ts'
import { readGenres } from '../../tags/genres.ts'

/** Goes up when the same file would be read otherwise than before. */
export const TAG_READER_VERSION = 2

/** What a file's tags say about the music, cleaned. */
export type Tags = {
  title: string | null
  artists: string[]
  /** Of a compilation that names none: "Various Artists". */
  albumArtist: string | null
  album: string | null
  genres: string[]
  /** Of the first release where the file tells it, else of this one. */
  year: number | null
  trackNumber: number | null
  discNumber: number | null
  isCompilation: boolean
  musicBrainz: MusicBrainzIds
  replayGain: ReplayGain
}

type MusicBrainzIds = {
  recordingId: string | null
  releaseId: string | null
  releaseGroupId: string | null
  artistIds: string[]
  albumArtistIds: string[]
}

/** dB to add for −18 LUFS, and the highest sample as a share of full scale (ReplayGain 2.0). */
type ReplayGain = {
  trackGainDb: number | null
  trackPeak: number | null
  albumGainDb: number | null
  albumPeak: number | null
}

/** Whose albums compilations are, so that all their tracks come together. */
const VARIOUS_ARTISTS = 'Various Artists'

/**
 * A file with several tags is believed in this order: what the format itself is tagged with, then
 * the guests. ID3v1 comes last because it cuts at 30 characters.
 */
export const TRUSTED: readonly TagKind[] = [
  'vorbis',
  'itunes',
  'id3v2',
  'ape',
  'aiff',
  'riff',
  'id3v1',
]

/**
 * The standard names of each field, the better ones first: ID3v2 frames, iTunes atoms, Vorbis and
 * APEv2 keys, chunks of AIFF and RIFF, and ID3v1's (the library's words), in any case of letters.
 */
const STANDARD = {
  title: ['TIT2', '©nam', 'TITLE', 'NAME', 'INAM'],
  artist: ['TPE1', '©ART', 'ARTIST', 'AUTH', 'IART'],
  albumArtist: ['TPE2', 'aART', 'ALBUMARTIST', 'ALBUM ARTIST', 'ALBUM_ARTIST'],
  album: ['TALB', '©alb', 'ALBUM', 'IPRD'],
  genre: ['TCON', '©gen', 'gnre', 'GENRE', 'IGNR'],
  track: ['TRCK', 'trkn', 'TRACKNUMBER', 'TRACK', 'ITRK', 'IPRT'],
  disc: ['TPOS', 'disk', 'DISCNUMBER', 'DISC'],
  compilation: ['TCMP', 'cpil', 'COMPILATION'],
  originalDate: ['TDOR', 'TORY', 'ORIGINALDATE', 'ORIGINALYEAR'],
  date: ['TDRC', 'TYER', '©day', 'DATE', 'YEAR', 'ICRD', 'TDRL', 'RELEASEDATE'],
} as const

/** Names in free-form frames (`TXXX`, iTunes' `----`), asked only where no standard one answers. */
const FREE_FORM: Partial<Record<keyof typeof STANDARD, readonly string[]>> = {
  artist: ['ARTISTS'],
  albumArtist: ['ALBUMARTIST', 'ALBUM ARTIST', 'ALBUMARTISTS'],
  disc: ['DISCNUMBER'],
  compilation: ['COMPILATION', 'ITUNESCOMPILATION'],
  originalDate: ['ORIGINALDATE', 'ORIGINALYEAR', 'ORIGINAL YEAR'],
}

/**
 * Decides what the tags of a file say. Pure: the fields come from `readFileTags`.
 */
export function readTags(fields: readonly Field[]): Tags {
  const sorted = TRUSTED.flatMap((kind) => fields.filter(({ tag }) => tag === kind))
  const read = (name: keyof typeof STANDARD) => lookUp(sorted, name)
  const text = (name: keyof typeof STANDARD) => firstText(read(name).flat())
  const isCompilation = read('compilation')
    .flat()
    .some((value) => /^\s*(?:1|true|yes)\s*$/i.test(value))
  const albumArtist = firstOf(read('albumArtist'), creditedNames)[0] ?? null
  return {
    title: text('title'),
    artists: firstOf([...read('artist'), ...read('albumArtist')], creditedNames),
    albumArtist: albumArtist ?? (isCompilation ? VARIOUS_ARTISTS : null),
    album: text('album'),
    genres: firstOf(read('genre'), genresOf),
    year: readYear([...read('originalDate').flat(), ...read('date').flat()]),
    trackNumber: readNumber(read('track').flat()),
    discNumber: readNumber(read('disc').flat()),
    isCompilation,
    musicBrainz: readMusicBrainz(sorted),
    replayGain: readReplayGain(sorted),
  }
}

/** The values of all fields that mean `name`, the most trusted first; each field's by themselves. */
function lookUp(sorted: readonly Field[], name: keyof typeof STANDARD): string[][] {
  const byName = (wanted: string) =>
    sorted.filter((field) => field.name.toLowerCase() === wanted.toLowerCase())
  const standard = STANDARD[name].flatMap(byName)
  // Of two kinds of tag the more trusted one comes first, whatever they call the field.
  standard.sort((a, b) => TRUSTED.indexOf(a.tag) - TRUSTED.indexOf(b.tag))
  const free = (FREE_FORM[name] ?? []).flatMap((each) => freeForm(sorted, each))
  return [...standard, ...free].map(({ values }) => values)
}

/** Fields that the format has no name of its own for. */
function freeForm(sorted: readonly Field[], name: string): Field[] {
  const names = [`txxx:${name}`, `----:com.apple.itunes:${name}`, name].map((each) =>
    each.toLowerCase(),
  )
  return sorted.filter((field) => names.includes(field.name.toLowerCase()))
}

/** The first of several answers that says anything. */
function firstOf(candidates: readonly string[][], readList: (values: string[]) => string[]) {
  for (const values of candidates) {
    const list = readList(values)
    if (list.length > 0) return list
  }
  return []
}

function firstText(values: readonly string[]): string | null {
  return values.map((value) => cleanText(value)).find((value) => value !== '') ?? null
}

/** A list is credited as it is; one value alone may be a line of several names. */
function creditedNames(values: readonly string[]): string[] {
  const names =
    values.length > 1
      ? values.flatMap((value) => value.split(GUESTS))
      : splitArtists(values[0] ?? '')
  return distinct(names).slice(0, MAX_TRACK_ARTISTS)
}

const GUESTS = /\s(?:feat\.?|ft\.?|featuring)\s/i

/**
 * Splits a line of artists. Only at separators that are hardly ever part of a name: "Simon &
 * Garfunkel", "AC/DC" and "Tyler, the Creator" stay whole.
 */
export function splitArtists(line: string): string[] {
  const names = line.split(/[;\0]|\s\/\s|\r?\n/).flatMap((name) => name.split(GUESTS))
  return distinct(names).slice(0, MAX_TRACK_ARTISTS)
}

function genresOf(values: readonly string[]): string[] {
  const genres = values.flatMap((value) => readGenres(value, values.length > 1))
  return distinct(genres).slice(0, MAX_TRACK_GENRES)
}

/** Cleans names and keeps the first of those that differ in case only. */
function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const each of names) {
    const name = cleanText(each)
    if (name !== '' && !seen.has(name.toLowerCase())) seen.set(name.toLowerCase(), name)
  }
  return [...seen.values()]
}

/**
 * Reads the year of the first date that is one. What only looks like one ("2003-13-45") is taken
 * where there is nothing better, and what does not ("0000", "unknown", "soon") never.
 */
function readYear(dates: readonly string[]): number | null {
  const whole = dates.map(cleanDate).find(isDate)
  const [year] = (whole === undefined ? dates : [whole]).flatMap((date) => {
    const found = /(?<!\d)(1[89]\d\d|20\d\d)(?:\d{4})?(?!\d)/.exec(date)?.[1]
    return found === undefined ? [] : Number(found)
  })
  return year ?? null
}

const cleanDate = (date: string) => cleanText(date)

/** `1999`, `1999-12`, `1999-12-31`, `19991231`, `1999-00-00`, and times after them. */
function isDate(date: string): boolean {
  const [, year, month = '01', day = '01'] =
    /^(\d{4})(?:[-/. ]?(\d\d))?(?:[-/. ]?(\d\d))?(?!\d)/.exec(date) ?? []
  return year !== undefined && /^(1[89]|20)/.test(year) && Number(month) <= 12 && Number(day) <= 31
}

/** `7`, `07/12`: the first that is a number from 1 on. */
function readNumber(values: readonly string[]): number | null {
  const numbers = values.map((value) => Number(/^\s*(\d{1,4})(?!\d)/.exec(value)?.[1]))
  return numbers.find((number) => number > 0) ?? null
}

const MUSICBRAINZ_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** Identifiers as Picard writes them (its documentation, "Tag Mapping"). */
function readMusicBrainz(sorted: readonly Field[]): MusicBrainzIds {
  const ids = (...names: string[]) => [
    ...new Set(
      names
        .flatMap((name) => freeForm(sorted, name))
        .flatMap(({ values }) => values.flatMap((value) => value.match(MUSICBRAINZ_ID) ?? []))
        .map((id) => id.toLowerCase()),
    ),
  ]
  return {
    recordingId:
      ids('UFID:http://musicbrainz.org', 'MUSICBRAINZ_TRACKID', 'MusicBrainz Track Id')[0] ?? null,
    releaseId: ids('MUSICBRAINZ_ALBUMID', 'MusicBrainz Album Id')[0] ?? null,
    releaseGroupId: ids('MUSICBRAINZ_RELEASEGROUPID', 'MusicBrainz Release Group Id')[0] ?? null,
    artistIds: ids('MUSICBRAINZ_ARTISTID', 'MusicBrainz Artist Id'),
    albumArtistIds: ids('MUSICBRAINZ_ALBUMARTISTID', 'MusicBrainz Album Artist Id'),
  }
}

function readReplayGain(sorted: readonly Field[]): ReplayGain {
  const number = (name: string, lowest: number, highest: number) => {
    const numbers = freeForm(sorted, name).flatMap(({ values }) =>
      values.map((value) => Number(/^\s*([-+]?\d+(?:\.\d+)?)(?:\s*dB)?\s*$/i.exec(value)?.[1])),
    )
    return numbers.find((each) => each >= lowest && each <= highest) ?? null
  }
  return {
    trackGainDb: number('REPLAYGAIN_TRACK_GAIN', -60, 60),
    trackPeak: number('REPLAYGAIN_TRACK_PEAK', 0, 100),
    albumGainDb: number('REPLAYGAIN_ALBUM_GAIN', -60, 60),
    albumPeak: number('REPLAYGAIN_ALBUM_PEAK', 0, 100),
  }
}
