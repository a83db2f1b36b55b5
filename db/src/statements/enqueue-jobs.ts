import { sql, type SQL } from 'drizzle-orm'
import type { JobId, UploadId, TrackId } from '../contract/ids.ts'
import type { JobKind } from '../contract/jobs.ts'
import { type Actor, audit } from './audit.ts'

/**
 * Tells the transcoder's relay of jobs that the same statement has queued, one outbox row each; the body
 * of a CTE. In a statement of its own it could be lost, and the job with it.
 *
 * @param queued name of the CTE that returns their `id` and `track_id`
 */
export function notifyRelay(queued: string): SQL {
  return sql`
    insert into outbox (topic, payload)
    select 'transcode', jsonb_build_object('v', 1, 'jobId', id, 'trackId', track_id)
    from ${sql.identifier(queued)}`
}

/** Makes a job and queues it. Answers with its id. */
export function enqueueJob(
  job: { id: JobId; kind: JobKind; uploadId: UploadId; trackId: TrackId },
  now: Date,
): SQL {
  const at = sql`${now.toISOString()}::timestamptz`
  return sql`
    with queued as (
      insert into jobs (id, kind, upload_id, track_id, status, created_at, queued_at)
      values (${job.id}, ${job.kind}, ${job.uploadId}, ${job.trackId}, 'queued', ${at}, ${at})
      returning id, track_id
    ), notified as (${notifyRelay('queued')})
    select id from queued`
}

/**
 * Queues a failed job again. Answers with its id, or with no row where it has not failed or its track was
 * deleted.
 */
export function retryJob(jobId: JobId, by: Actor, now: Date): SQL {
  const entry = { action: 'job.retry', target: 'job', targetId: jobId } as const
  return sql`
    with queued as (
      update jobs j set status = 'queued', step = null, progress = 0, error_code = null,
             error_detail = null, queued_at = ${now.toISOString()}::timestamptz, started_at = null,
             completed_at = null
      where j.id = ${jobId} and j.status = 'failed'
        and exists (select from tracks t where t.id = j.track_id and t.deleted_at is null)
      returning j.id, j.track_id
    ), notified as (${notifyRelay('queued')}), audited as (${audit(by, entry, sql`queued`)})
    select id from queued`
}
