import { Lyrics, type TrackId } from '@mist/db/contract'
import { trackLyrics, tracks } from '@mist/db/schema'
import { type Actor, audit } from '@mist/db/statements'
import { and, desc, eq, sql } from 'drizzle-orm'
import type { Database } from '../platform/database.ts'
import { IS_PUBLIC } from './track-repo.ts'
import { at } from './rows.ts'

export type LyricsRepo = ReturnType<typeof makeLyricsRepo>

export function makeLyricsRepo({ db }: { db: Database }) {
  return {
    /** Lyrics of a public track, an admin's before the file's; null where there is no row of either. */
    async find(trackId: TrackId): Promise<Lyrics | null> {
      const [row] = await db
        .select({
          language: trackLyrics.language,
          synced: trackLyrics.synced,
          lines: trackLyrics.lines,
        })
        .from(trackLyrics)
        .innerJoin(tracks, eq(tracks.id, trackLyrics.trackId))
        .where(and(eq(trackLyrics.trackId, trackId), IS_PUBLIC))
        .orderBy(desc(eq(trackLyrics.source, 'admin')))
        .limit(1)
      return row ? Lyrics.parse(row) : null
    },

    /**
     * Sets an admin's lyrics of a track, published or not. The same again changes nothing.
     *
     * @returns false where there is no such track
     */
    async write(trackId: TrackId, lyrics: Lyrics, by: Actor, now: Date): Promise<boolean> {
      const { language, synced, lines } = lyrics
      const entry = {
        action: 'track.lyrics',
        target: 'track',
        targetId: trackId,
        details: { language, synced, lines: lines.length },
      } as const
      const { rows } = await db.execute(
        sql`with written as (
            insert into track_lyrics (track_id, source, language, synced, lines, updated_at)
            select id, 'admin', ${language}::text, ${synced}::boolean, ${JSON.stringify(lines)}::jsonb,
                   ${at(now)}
            from tracks where id = ${trackId} and deleted_at is null
            on conflict (track_id, source) do update set language = excluded.language,
              synced = excluded.synced, lines = excluded.lines, updated_at = excluded.updated_at
            returning track_id
            ), audited as (${audit(by, entry, sql`written`)})
            select track_id from written`,
      )
      return rows.length > 0
    },
  }
}
