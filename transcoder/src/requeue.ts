import { EMBEDDING_VERSION } from './audio/analyser.ts'
import { sql } from 'drizzle-orm'
import type { Database } from './platform/database.ts'

export type Requeue = 'reembed' | 'retranscode'

/**
 * Queues a job for each published track that needs it, in one statement: `reembed` for those whose
 * embedding was made with other constants than ours, `retranscode` for all (after a change of the
 * ladder). Tracks with an unfinished job are left to it, so the same again queues nothing twice.
 *
 * @returns the number of jobs
 */
export async function requeue(db: Database, kind: Requeue): Promise<number> {
  const isDue =
    kind === 'retranscode'
      ? sql`true`
      : sql`e.embedding_version is distinct from ${EMBEDDING_VERSION}`
  const { rowCount } = await db.execute(sql`
    with due as (
      select t.id, t.upload_id from tracks t
      left join track_embeddings e on e.track_id = t.id
      where t.published_at is not null and t.deleted_at is null and t.upload_id is not null
        and ${isDue}
        and not exists (
          select from jobs j where j.track_id = t.id and j.status in ('queued', 'processing')
        )
    ), made as (
      insert into jobs (id, kind, upload_id, track_id, status, queued_at)
      select gen_random_uuid(), ${kind}, upload_id, id, 'queued', now() from due
      returning id, track_id
    )
    insert into outbox (topic, payload)
    select 'transcode', jsonb_build_object('v', 1, 'jobId', id, 'trackId', track_id) from made`)
  return rowCount ?? 0
}
