import { sql, type SQL } from 'drizzle-orm'
import type { RemakeKind } from '../contract/jobs.ts'

/**
 * Starts to make the catalogue anew; where that is under way, or paused, nothing changes. Answers with a
 * row where it began.
 */
export function startRemake(kind: RemakeKind): SQL {
  return sql`
    insert into remakes (kind) values (${kind})
    on conflict (kind) do update
      set started_at = now(), paused_at = null, ended_at = null, after_track_id = null
      where remakes.ended_at is not null
    returning kind`
}
