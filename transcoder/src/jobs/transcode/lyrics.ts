import { languageTag, parseLyrics, type Lyrics } from '@mist/db/contract'
import type { Field } from '../../tags/fields.ts'
import { TRUSTED } from './tags.ts'

/**
 * What lyrics are called: ID3v2 frames (with the language's letters behind a colon), the iTunes atom,
 * Vorbis and APEv2 keys, and the same as free-form names.
 */
const NAMED =
  /^(?:(?:SYLT|USLT)(?::(?<language>[^:]{0,8}))?|©lyr|(?:TXXX:|----:com\.apple\.iTunes:)?(?:LYRICS|SYNCEDLYRICS|UNSYNCED ?LYRICS))$/i

/** What the words' language is called. */
const LANGUAGE = /^(?:TLAN|(?:TXXX:|----:com\.apple\.iTunes:)?LANGUAGE)$/i

/**
 * Decides what a file's lyrics are: the first that have times, else the first. Any of its fields may
 * hold LRC, whatever the field's name says.
 */
export function readLyrics(fields: readonly Field[]): Lyrics | null {
  const sorted = TRUSTED.flatMap((kind) => fields.filter(({ tag }) => tag === kind))
  const language = sorted.find(({ name }) => LANGUAGE.test(name))?.values[0] ?? null
  const found = sorted.flatMap(({ name, values }) => {
    const match = NAMED.exec(name)
    if (match === null) return []
    const spoken = match.groups?.['language'] ?? null
    return values.flatMap((value) => {
      const lyrics = parseLyrics(value, spoken)
      return lyrics === null
        ? []
        : [{ ...lyrics, language: lyrics.language ?? languageTag(language) }]
    })
  })
  return found.find(({ synced }) => synced) ?? found[0] ?? null
}
