import { Lyrics, type TrackId } from '@mist/db/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import { IS_PUBLIC } from './track-repo.ts'
import { at, rowOf } from './rows.ts'

export type LyricsRepo = ReturnType<typeof makeLyricsRepo>

export function makeLyricsRepo({ db }: { db: Database }) {
  return {
    /** Lyrics of a public track, an admin's before the file's; null where there is no row of either. */
    find(trackId: TrackId): Promise<Lyrics | null> {
      return rowOf(
        db,
        Lyrics,
        sql`select l.language, l.synced, l.lines
            from track_lyrics l join tracks t on t.id = l.track_id
            where l.track_id = ${trackId} and ${IS_PUBLIC}
            order by (l.source = 'admin') desc limit 1`,
      )
    },

    /**
     * Sets an admin's lyrics of a track, published or not. The same again changes nothing. What else is
     * to be true of an admin's change (an audit row) belongs into this statement.
     *
     * @returns false where there is no such track
     */
    async write(trackId: TrackId, lyrics: Lyrics, now: Date): Promise<boolean> {
      const { language, synced, lines } = lyrics
      const row = await rowOf(
        db,
        z.object({ track_id: z.string() }),
        sql`insert into track_lyrics (track_id, source, language, synced, lines, updated_at)
            select id, 'admin', ${language}::text, ${synced}::boolean, ${JSON.stringify(lines)}::jsonb,
                   ${at(now)}
            from tracks where id = ${trackId} and deleted_at is null
            on conflict (track_id, source) do update set language = excluded.language,
              synced = excluded.synced, lines = excluded.lines, updated_at = excluded.updated_at
            returning track_id`,
      )
      return row !== null
    },
  }
}
