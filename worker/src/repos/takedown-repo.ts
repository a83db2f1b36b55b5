import { TrackId } from '@mist/db/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import { onlyRow } from './rows.ts'

const Since = z.object({
  /** The database's clock, milliseconds since 1970. */
  at: z.coerce.number(),
  items: z.array(
    z.object({ trackId: TrackId, version: z.int().nullable(), withCover: z.boolean() }),
  ),
})

const Found = z.object({ found: z.boolean() })

/** What the media route must no longer serve. */
export function makeTakedownRepo({ db }: { db: Database }) {
  return {
    /**
     * Tracks deleted and versions purged since an instant, or within a window where there is none.
     *
     * @param since milliseconds since 1970, by the database's clock
     */
    async since(since: number | null, windowMs: number): Promise<z.infer<typeof Since>> {
      const from =
        since === null
          ? sql`now() - make_interval(secs => ${windowMs / 1000})`
          : sql`to_timestamp(${since / 1000})`
      return onlyRow(
        db,
        Since,
        sql`select extract(epoch from clock_timestamp()) * 1000 as at, coalesce((
              select json_agg(json_build_object('trackId', g.track_id, 'version', g.version, 'withCover', g.cover))
              from (
                select id as track_id, null::integer as version, true as cover
                from tracks where deleted_at >= ${from}
                union all
                select s.track_id, s.version, t.cover_version is distinct from s.version
                from tombstones s join tracks t on t.id = s.track_id
                where s.purged_at >= ${from} and s.version is not null
              ) g
            ), '[]') as items`,
      )
    },

    /** Whether a version, or the cover under its prefix, belongs to a track that is shown. */
    async isServable(trackId: TrackId, version: number, isCover: boolean): Promise<boolean> {
      const { found } = await onlyRow(
        db,
        Found,
        // Those who listen to a replaced version listen to its end.
        sql`select exists (
              select from tracks t join track_versions v on v.track_id = t.id
              where t.id = ${trackId} and t.published_at is not null and t.deleted_at is null
                and v.version = ${version}::integer
                and case when ${isCover}::boolean then t.cover_version = v.version
                    else v.status in ('published', 'retired') end
            ) as found`,
      )
      return found
    },
  }
}

export type TakedownRepo = ReturnType<typeof makeTakedownRepo>
