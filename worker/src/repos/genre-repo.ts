import { sql } from 'drizzle-orm'
import { Genre } from '../contract/browse.ts'
import type { Database } from '../platform/database.ts'
import { Big, parseRow } from './rows.ts'

const GenreRow = Genre.extend({ trackCount: Big })

export function makeGenreRepo({ db }: { db: Database }) {
  return {
    /** Genres of public tracks, at most `limit`, those of most tracks first. */
    async list(limit: number): Promise<Genre[]> {
      const { rows } = await db.execute(sql`
        select g.slug, g.name, n.track_count
        from (
          select tg.slug, count(*) as track_count
          from track_genres tg join tracks t on t.id = tg.track_id
          where t.published_at is not null and t.deleted_at is null
          group by tg.slug order by count(*) desc, tg.slug limit ${limit}
        ) n join genres g on g.slug = n.slug
        order by n.track_count desc, g.slug`)
      return rows.map((row) => parseRow(GenreRow, row))
    },
  }
}

export type GenreRepo = ReturnType<typeof makeGenreRepo>
