import { z } from 'zod'
import { cleanLines, cleanText, countChars } from './text.ts'

/** Longest lyrics, code points; what a file has more is cut, what an admin sends more is refused. */
export const MAX_LYRICS_CHARS = 20_000

/** Most lines; an LRC file repeats a chorus by its times, so lines may be more than are written. */
export const MAX_LYRICS_LINES = 1000

/** Longest line, code points. */
const MAX_LINE_CHARS = 500

/** A time beyond this, seconds, is none of a recording that we take. */
const MAX_START_S = 24 * 3600

export const LyricsLine = z.object({
  /** When it is sung, seconds; null where nobody has timed the lyrics. */
  startS: z.number().min(0).nullable(),
  /** Empty where nothing is sung for a while. */
  text: z.string(),
})
export type LyricsLine = z.infer<typeof LyricsLine>

export const Lyrics = z.object({
  /** BCP 47, such as `en`; null where it is not known. */
  language: z.string().nullable(),
  /** Whether every line has its time; the lines are in the order of time then. */
  synced: z.boolean(),
  lines: z.array(LyricsLine),
})
export type Lyrics = z.infer<typeof Lyrics>

/** `[mm:ss]`, `[mm:ss.x]` to `[mm:ss.xxx]`, also with a colon before the fraction. */
const STAMP = /^\s*\[(\d{1,4}):([0-5]?\d)(?:[.:](\d{1,3}))?\]/

/** `[ar:…]`, `[offset:+250]` and the like. */
const ID_TAG = /^\s*\[([a-zA-Z#]+):([^\]]*)\]\s*$/

/** Times of single words (`<mm:ss.xx>`), as enhanced LRC has them: lines are what we keep. */
const WORD_STAMPS = /<\d{1,4}:[0-5]?\d(?:[.:]\d{1,3})?>/g

/**
 * Reads lyrics: LRC where any line has a time, else plain text. Of LRC, lines without a time are left
 * out, a line with several times is sung several times, and `offset` moves all of them: a positive one
 * makes them come earlier.
 *
 * @param language a tag of any standard; `[la:…]` in the text is taken where it says nothing
 * @returns null where nothing is left
 */
export function parseLyrics(text: string, language: string | null = null): Lyrics | null {
  const whole = cutTo(text, MAX_LYRICS_CHARS)
  const timed: { startS: number; text: string }[] = []
  const idTags = new Map<string, string>()
  for (const line of whole.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/u)) {
    const starts: number[] = []
    let rest = line
    for (let stamp = STAMP.exec(rest); stamp !== null; stamp = STAMP.exec(rest)) {
      starts.push(secondsOf(stamp))
      rest = rest.slice(stamp[0].length)
    }
    const [, name, value] = (starts.length === 0 && ID_TAG.exec(line)) || []
    if (name !== undefined) idTags.set(name.toLowerCase(), value!.trim())
    const words = cleanText(rest.replace(WORD_STAMPS, ''), MAX_LINE_CHARS)
    for (const startS of starts) timed.push({ startS, text: words })
  }
  const told = languageTag(language) ?? languageTag(idTags.get('la') ?? null)
  const offsetS = Number(/^[-+]?\d{1,7}$/.exec(idTags.get('offset') ?? '')?.[0] ?? 0) / 1000
  const sung = timed
    .map((line) => ({ ...line, startS: rounded(Math.max(0, line.startS - offsetS)) }))
    .filter((line) => line.startS <= MAX_START_S)
    // Stable: what is sung at the same time stays in the order of the text.
    .sort((a, b) => a.startS - b.startS)
    .slice(0, MAX_LYRICS_LINES)
  if (sung.some((line) => line.text !== '')) return { language: told, synced: true, lines: sung }
  const plain = cleanLines(whole, MAX_LYRICS_CHARS)
  if (plain === '' || timed.length > 0) return null
  const lines = plain
    .split('\n')
    .slice(0, MAX_LYRICS_LINES)
    .map((line) => ({ startS: null, text: cleanText(line, MAX_LINE_CHARS) }))
  return { language: told, synced: false, lines }
}

function secondsOf([, minutes, seconds, fraction = '']: RegExpExecArray): number {
  return Number(minutes) * 60 + Number(seconds) + Number(`0.${fraction || 0}`)
}

const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000

/**
 * Spells a language as BCP 47 has it: `eng` and `en` are `en`, as ID3v2's three letters of ISO 639-2
 * and everybody else's two mean the same; null where it is none, or not known (`und`, `XXX`).
 */
export function languageTag(language: string | null): string | null {
  const tag = language?.trim().replaceAll('_', '-') ?? ''
  if (!/^[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{1,8}){0,4}$/.test(tag) || /^(?:und|xxx|zxx|mul)$/i.test(tag))
    return null
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}

function cutTo(text: string, maxChars: number): string {
  return text.length > maxChars && countChars(text) > maxChars
    ? Array.from(text).slice(0, maxChars).join('')
    : text
}
