import { countChars, languageTag, Lyrics, MAX_LYRICS_CHARS } from '@mist/db/contract'
import { z } from 'zod'

/** What is sung in a track. */
export const TrackLyrics = Lyrics.meta({ id: 'Lyrics' })
export type TrackLyrics = z.infer<typeof TrackLyrics>

/** Lyrics that an admin writes: LRC, or plain lines; empty says that there are none. */
export const NewLyrics = z
  .strictObject({
    text: z
      .string()
      .refine(
        (text) => countChars(text) <= MAX_LYRICS_CHARS,
        `Lyrics have at most ${MAX_LYRICS_CHARS} characters.`,
      )
      .meta({ maxLength: MAX_LYRICS_CHARS }),
    language: z
      .string()
      .max(35)
      .refine((tag) => languageTag(tag) !== null, 'This is no language, such as en or pt-BR.')
      .nullable()
      .optional(),
  })
  .meta({ id: 'NewLyrics' })
export type NewLyrics = z.infer<typeof NewLyrics>
