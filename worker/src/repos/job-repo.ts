import { JobId, JobKind, JobStatus, JobStep, TrackId, UploadId } from '@mist/db/contract'
import { retryJob, startRemake } from '@mist/db/statements'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Keyset } from '../contract/pages.ts'
import type { Database } from '../platform/database.ts'
import { Big, exactInstant, Instant, rowOf, rowsOf } from './rows.ts'

const JobRow = z
  .object({
    id: JobId,
    kind: JobKind,
    status: JobStatus,
    step: JobStep.nullable(),
    progress: z.number(),
    attempts: z.int(),
    track_id: TrackId,
    upload_id: UploadId,
    filename: z.string(),
    object_key: z.string(),
    error_code: z.string().nullable(),
    error_detail: z.string().nullable(),
    created_at: Instant,
    started_at: Instant.nullable(),
    completed_at: Instant.nullable(),
    is_uploaded: z.boolean(),
    cursor_at: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    kind: row.kind,
    status: row.status,
    step: row.step,
    progress: row.progress,
    attempts: row.attempts,
    trackId: row.track_id,
    uploadId: row.upload_id,
    filename: row.filename,
    objectKey: row.object_key,
    error:
      row.error_code === null ? null : { code: row.error_code, detail: row.error_detail ?? '' },
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    isUploaded: row.is_uploaded,
    cursorAt: row.cursor_at,
  }))
export type JobRow = z.infer<typeof JobRow>

const JOBS: SQL = sql`
  select j.id, j.kind, j.status, j.step, j.progress, j.attempts, j.track_id, j.upload_id,
         u.filename, u.object_key, j.error_code, j.error_detail, j.created_at, j.started_at,
         j.completed_at, u.completed_at is not null as is_uploaded,
         ${exactInstant(sql`j.created_at`)} as cursor_at
  from jobs j join uploads u on u.id = j.upload_id`

const Id = z.object({ id: JobId })

export function makeJobRepo({ db }: { db: Database }) {
  return {
    find(jobId: JobId): Promise<JobRow | null> {
      return rowOf(db, JobRow, sql`${JOBS} where j.id = ${jobId}`)
    },

    /** Jobs, the newest first, after `after`. */
    list(limit: number, after: Keyset | null, status: JobStatus | null): Promise<JobRow[]> {
      const rest = after
        ? sql`and (j.created_at, j.id) < (${after.at}::timestamptz, ${after.id}::uuid)`
        : sql``
      return rowsOf(
        db,
        JobRow,
        sql`${JOBS} where (${status}::text is null or j.status = ${status}) ${rest}
            order by j.created_at desc, j.id desc limit ${limit}`,
      )
    },

    /** Queues a failed job again. `false`: it has not failed, or its track was deleted. */
    async retry(jobId: JobId, now: Date): Promise<boolean> {
      return (await rowOf(db, Id, retryJob(jobId, now))) !== null
    },

    /**
     * Starts to make all published tracks anew from their originals, in the background; where that is
     * under way nothing changes. Answers with how many tracks that is.
     */
    async retranscodeAll(): Promise<number> {
      const [, { rows }] = await db.batch([
        db.execute(startRemake('retranscode')),
        db.execute(sql`select count(*) as tracks from tracks
          where published_at is not null and deleted_at is null and upload_id is not null`),
      ])
      return z.object({ tracks: Big }).parse(rows[0]).tracks
    },
  }
}

export type JobRepo = ReturnType<typeof makeJobRepo>
