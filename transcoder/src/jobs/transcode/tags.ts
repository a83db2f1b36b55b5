/** What a file's tags say about the music, cleaned. */
export type Tags = {
  title: string | null
  artists: string[]
  albumArtist: string | null
  album: string | null
  genres: string[]
  year: number | null
  trackNumber: number | null
}

const MAX_TEXT = 300
const MAX_ARTISTS = 20
const MAX_GENRES = 10

/**
 * Reads tags whose characters are the raw bytes of the file (see ffprobe's
 * `-string_validation ignore`).
 *
 * @param raw names in lower case
 */
export function readTags(raw: ReadonlyMap<string, string>): Tags {
  const text = (...names: string[]): string | null => {
    for (const name of names) {
      const value = raw.get(name)
      const clean = value === undefined ? '' : cleanText(decodeTag(value))
      if (clean !== '') return clean
    }
    return null
  }
  const lines = (name: string) => {
    const value = raw.get(name)
    return value === undefined ? '' : decodeTag(value)
  }
  return {
    title: text('title', 'tit2', 'inam'),
    artists: splitArtists(lines('artist') || lines('album_artist')),
    albumArtist: splitArtists(lines('album_artist'))[0] ?? null,
    album: text('album'),
    genres: splitList(lines('genre'), /[;\0/,]|\r?\n/).slice(0, MAX_GENRES),
    year: readYear(text('originaldate', 'date', 'year', 'tyer', 'icrd')),
    trackNumber: readTrackNumber(text('track', 'tracknumber')),
  }
}

/**
 * Splits a line of artists. Only at separators that are hardly ever part of a name: "Simon &
 * Garfunkel", "AC/DC" and "Tyler, the Creator" stay whole.
 */
export function splitArtists(line: string): string[] {
  return splitList(line, /[;\0]|\s\/\s|\r?\n|\s(?:feat\.?|ft\.?|featuring)\s/i).slice(
    0,
    MAX_ARTISTS,
  )
}

function splitList(line: string, separator: RegExp): string[] {
  const seen = new Map<string, string>()
  for (const part of line.split(separator)) {
    const name = cleanText(part)
    if (name !== '' && !seen.has(name.toLowerCase())) seen.set(name.toLowerCase(), name)
  }
  return [...seen.values()]
}

/**
 * Makes text fit to show: one line, composed (NFC), no control characters, no marks that turn the
 * direction of the text around it, at most 300 characters.
 */
export function cleanText(text: string): string {
  const clean = text
    .normalize('NFC')
    // Cc: controls. The rest: bidirectional controls (UAX #9), byte-order mark, noncharacters.
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ufffd]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return Array.from(clean).slice(0, MAX_TEXT).join('').trim()
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const cyrillic = new TextDecoder('windows-1251')
const western = new TextDecoder('windows-1252')

/**
 * Decodes a tag from its raw bytes: UTF-8 where it is valid, with the two usual accidents undone
 * (UTF-8 or Windows-1251 that a tagger declared to be Latin-1), else the likelier of Windows-1251
 * and Windows-1252.
 *
 * @param raw each character one byte
 */
export function decodeTag(raw: string): string {
  const bytes = Buffer.from(raw, 'latin1')
  const text = tryUtf8(bytes)
  if (text === null) return decodeLegacy(bytes)
  // All of its characters fit in a byte: then it may be bytes that somebody took for Latin-1.
  if (!/[^\p{ASCII}\u0080-\u00ff]/u.test(text) && /[\u0080-\u00ff]/.test(text)) {
    const inner = Buffer.from(text, 'latin1')
    const again = tryUtf8(inner)
    if (again !== null) return again
    return isLikelyCyrillic(inner) ? cyrillic.decode(inner) : text
  }
  return text
}

function tryUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

function decodeLegacy(bytes: Uint8Array): string {
  return isLikelyCyrillic(bytes) ? cyrillic.decode(bytes) : western.decode(bytes)
}

/**
 * In Russian text in Windows-1251 nearly every letter is at 0xC0 or above and they come in whole
 * words; in Western text in Latin-1 such letters are few and far between.
 */
function isLikelyCyrillic(bytes: Uint8Array): boolean {
  const words = Buffer.from(bytes)
    .toString('latin1')
    .match(/[A-Za-z\u00a8\u00b8\u00c0-\u00ff]+/g)
  const letters = words?.join('') ?? ''
  const high = letters.match(/[\u00a8\u00b8\u00c0-\u00ff]/g)?.length ?? 0
  const wholeWords = words?.some((word) => /^[\u00a8\u00b8\u00c0-\u00ff]{3,}$/.test(word)) ?? false
  return wholeWords && high >= letters.length * 0.4
}

function readYear(text: string | null): number | null {
  const year = Number(/\b(1[89]\d\d|20\d\d)/.exec(text ?? '')?.[1])
  return Number.isInteger(year) ? year : null
}

/** `7`, `07/12`. */
function readTrackNumber(text: string | null): number | null {
  const number = Number(/^\s*(\d{1,4})\b/.exec(text ?? '')?.[1])
  return Number.isInteger(number) && number > 0 ? number : null
}
