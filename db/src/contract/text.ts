import { z } from 'zod'

/**
 * The one rule for text that people give us: tags, names of files, what admins type. Whoever writes
 * text to the database has it from here, so what one door publishes the others accept.
 */

/** Longest title, name of an artist, album or genre, in code points. */
export const MAX_NAME_CHARS = 300

/** Longest line that names who made a recording and under which licence, in code points. */
export const MAX_ATTRIBUTION_CHARS = 1000

/** Longest name of an uploaded file, in code points. */
export const MAX_FILENAME_CHARS = 500

/** Most artists, and most genres, that one track is given. */
export const MAX_TRACK_ARTISTS = 20
export const MAX_TRACK_GENRES = 20

/** Controls, and the separators of lines and paragraphs: a place to break, hence a space. */
const BREAKS = /[\p{Cc}\u2028\u2029]+/gu

/**
 * Flags of regions, such as Scotland's: a black flag, tag characters, the cancelling one (UTS #51
 * §1.4.9), which stay; and then all that goes, being invisible or no character:
 * Cf (formatting: bidirectional embeddings, overrides and isolates, zero-width space, soft hyphen,
 * byte-order mark, loose tag characters), noncharacters, and U+FFFD, which stands for bytes that
 * were lost.
 */
const FLAGS_OR_REMOVED =
  /(\u{1f3f4}[\u{e0020}-\u{e007e}]{1,16}\u{e007f})|[\p{Cf}\p{Noncharacter_Code_Point}\ufffd]/gu

/**
 * Formatting characters that stay. ZWNJ and ZWJ spell Persian and Indic words and join emoji. LRM,
 * RLM and ALM are letters without a shape: they order the text around them ("C++" in a Hebrew line),
 * and unlike embeddings and isolates they open nothing that could spill into what stands beside.
 * U+0600…, U+06DD, U+070F, U+0890…, U+08E2, U+110BD and U+110CD can be seen.
 */
const KEPT_FORMATS =
  /[\u200c-\u200f\u061c\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u

/** Formatting characters that mean nothing at the ends of a text, and white space. */
const ENDS = /^[\s\u200c-\u200f\u061c]+|[\s\u200c-\u200f\u061c]+$/gu

const VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}]/u

/**
 * Makes text fit to keep and to show: one line, composed (NFC), trimmed, with single spaces, without
 * controls, direction overrides, noncharacters and halves of surrogate pairs. What joins letters and
 * emoji stays: ZWJ, ZWNJ, variation selectors, the tags of flags. Cleaning twice changes nothing.
 *
 * @param maxChars what is longer is cut, in code points, between graphemes
 * @returns the empty string where nothing visible is left
 */
export function cleanText(text: string, maxChars: number = MAX_NAME_CHARS): string {
  const clean = text
    .toWellFormed()
    .replace(BREAKS, ' ')
    .replace(FLAGS_OR_REMOVED, (found, flag?: string) =>
      flag !== undefined || KEPT_FORMATS.test(found) ? found : '',
    )
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .replace(ENDS, '')
  if (!VISIBLE.test(clean)) return ''
  const cut = cutText(clean, maxChars)
  // A cut can leave a space or half of a flag at the end.
  return cut === clean ? clean : cleanText(cut, maxChars)
}

/**
 * Cleans text of several lines, such as lyrics: each line by itself, at most one empty line in a row.
 *
 * @param maxChars of the whole, in code points
 */
export function cleanLines(text: string, maxChars: number): string {
  const lines = text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/u)
  const clean = lines.map((line) => cleanText(line, maxChars)).join('\n')
  return cutText(clean.replace(/\n{3,}/g, '\n\n').replace(/^\n+|\n+$/g, ''), maxChars).replace(
    /\n+$/,
    '',
  )
}

/** Counts the code points of a text, as JSON Schema's `maxLength` does. */
export function countChars(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Splits into what a reader takes for one character (UAX #29). */
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })

function cutText(text: string, maxChars: number): string {
  // Code units are never fewer than code points.
  if (text.length <= maxChars || countChars(text) <= maxChars) return text
  let end = 0
  let left = maxChars
  for (const { segment, index } of graphemes.segment(text)) {
    left -= countChars(segment)
    if (left < 0) break
    end = index + segment.length
  }
  // One grapheme alone is too long when somebody piles up accents.
  return end > 0 ? text.slice(0, end) : Array.from(text).slice(0, maxChars).join('')
}

/**
 * Makes a schema for one line of text: cleans it, then refuses what is empty or too long. Lengths
 * are code points of the cleaned text.
 */
export function lineOfText(minChars: number, maxChars: number) {
  return z
    .string()
    .overwrite((text) => cleanText(text, Number.MAX_SAFE_INTEGER))
    .refine((text) => text.length >= minChars, 'This must not be empty.')
    .refine((text) => countChars(text) <= maxChars, `This is longer than ${maxChars} characters.`)
    .meta({ minLength: minChars, maxLength: maxChars })
}

const Name = lineOfText(1, MAX_NAME_CHARS)

/**
 * What a track's description may hold, whoever wrote it: the upload page, `PATCH tracks/:id`, or the
 * transcoder out of a file's tags.
 */
export const TrackText = {
  title: Name,
  artists: z.array(Name).min(1).max(MAX_TRACK_ARTISTS),
  album: Name,
  genres: z.array(Name).max(MAX_TRACK_GENRES),
  year: z.int().min(1000).max(9999),
  trackNumber: z.int().min(1).max(9999),
  attribution: lineOfText(1, MAX_ATTRIBUTION_CHARS),
}

/** The parts of a track's description that an admin may write. */
export const TRACK_FIELDS = [
  'title',
  'artists',
  'album',
  'genres',
  'year',
  'trackNumber',
  'attribution',
] as const satisfies readonly (keyof typeof TrackText)[]
export type TrackField = (typeof TRACK_FIELDS)[number]
