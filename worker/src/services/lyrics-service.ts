import { MAX_LYRICS_LINES, parseLyrics, type Lyrics, type TrackId } from '@mist/db/contract'
import type { AdminActor } from '@mist/db/statements'
import type { NewLyrics } from '../contract/lyrics.ts'
import type { Clock } from '../platform/clock.ts'
import { Problem } from '../problem.ts'
import type { LyricsRepo } from '../repos/lyrics-repo.ts'

const NONE: Lyrics = { language: null, synced: false, lines: [] }

/** What is sung. */
export function makeLyricsService({ lyrics, clock }: { lyrics: LyricsRepo; clock: Clock }) {
  return {
    /** @throws Problem not-found, also where an admin says that there are none */
    async find(trackId: TrackId): Promise<Lyrics> {
      const found = await lyrics.find(trackId)
      if (found === null || found.lines.length === 0)
        throw new Problem('not-found', 'There are no lyrics of this track.')
      return found
    },

    /**
     * Writes lyrics in place of the file's; an empty text takes those away.
     *
     * @throws Problem validation-failed where nothing can be sung of the text
     */
    async write(
      trackId: TrackId,
      { text, language = null }: NewLyrics,
      by: AdminActor,
    ): Promise<Lyrics> {
      const parsed = text.trim() === '' ? NONE : parseLyrics(text, language)
      if (parsed === null) throw unusable('There are no words in these lyrics.')
      if (parsed.lines.length >= MAX_LYRICS_LINES)
        throw unusable(
          `Lyrics have fewer than ${MAX_LYRICS_LINES} lines, each time of one counted.`,
        )
      if (!(await lyrics.write(trackId, parsed, by, clock())))
        throw new Problem('not-found', 'There is no such track.')
      return parsed
    },
  }
}

const unusable = (message: string) =>
  new Problem('validation-failed', message, { errors: [{ path: 'text', message }] })
