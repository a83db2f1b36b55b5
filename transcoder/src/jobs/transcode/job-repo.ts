import {
  JobId,
  JobKind,
  TrackId,
  UploadId,
  type JobErrorCode,
  type JobStep,
} from '@mist/db/contract'
import { jobs, trackVersions, type UploadMetadata } from '@mist/db/schema'
import { camelCased } from '@mist/db/statements'
import { and, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../../platform/database.ts'

const ClaimRow = z.object({
  jobId: JobId,
  kind: JobKind,
  trackId: TrackId,
  uploadId: UploadId,
  /** The fresh version that this run builds: its prefix, and its fence. */
  version: z.int(),
  /** Runs so far, this one counted. */
  attempts: z.int(),
  objectKey: z.string(),
  // bigint arrives as text.
  sizeBytes: z.coerce.number(),
  /** Of the original that was checked at its completion; null for uploads older than that. */
  etag: z.string().nullable(),
  /** The version that holds the track's cover, and whether its colours are known. */
  coverVersion: z.int().nullable(),
  hasColours: z.boolean(),
  metadata: z.custom<UploadMetadata>((value) => typeof value === 'object' && value !== null),
})

/** A job that this run has taken, and what it needs to know. */
export type ClaimedJob = z.infer<typeof ClaimRow>

export type ClaimAnswer =
  | { kind: 'claimed'; job: ClaimedJob }
  /** Finished, or cancelled, or never there: nothing to do. */
  | { kind: 'nothing-to-do'; status: string | null }
  | { kind: 'track-gone' }

/** Only the run that holds the job's version may speak for it. */
const mine = (job: ClaimedJob) =>
  and(eq(jobs.id, job.jobId), eq(jobs.status, 'processing'), eq(jobs.version, job.version))

export type JobRepo = ReturnType<typeof makeJobRepo>

/** What the transcoder says about jobs to Postgres. */
export function makeJobRepo(db: Database) {
  return {
    /**
     * Takes a job for this run, in one statement: processing, one more attempt, a version that no
     * run ever had. Whatever run held it before is fenced off from here on.
     */
    async claim(jobId: JobId): Promise<ClaimAnswer> {
      const { rows } = await db.execute(sql`
        with taken as (
          update jobs j set
            status = 'processing', step = 'download', progress = 0, attempts = j.attempts + 1,
            error_code = null, error_detail = null, completed_at = null,
            started_at = coalesce(j.started_at, now()), seen_at = now(),
            version = 1 + greatest(
              (select coalesce(max(v.version), 0) from track_versions v where v.track_id = j.track_id),
              (select coalesce(max(o.version), 0) from jobs o where o.track_id = j.track_id)
            )
          from tracks t
          where j.id = ${jobId} and t.id = j.track_id and t.deleted_at is null
            and (j.status in ('queued', 'processing')
              or (j.status = 'failed' and j.error_code = 'disk-full'))
          returning j.*, t.cover_version, t.cover_colours is not null as has_colours
        ), building as (
          insert into track_versions (track_id, version, job_id, status)
          select track_id, version, id, 'building' from taken
        )
        select taken.id as job_id, taken.kind, taken.track_id, taken.upload_id, taken.version, taken.attempts,
          taken.cover_version, taken.has_colours, u.object_key, u.size_bytes, u.etag, u.metadata
        from taken join uploads u on u.id = taken.upload_id`)
      const [row] = rows
      if (row !== undefined) return { kind: 'claimed', job: ClaimRow.parse(camelCased(row)) }
      const [found] = await db.select({ status: jobs.status }).from(jobs).where(eq(jobs.id, jobId))
      return found?.status === 'queued' || found?.status === 'processing'
        ? { kind: 'track-gone' }
        : { kind: 'nothing-to-do', status: found?.status ?? null }
    },

    /** Reports where a run is. @returns whether the run still holds the job */
    async report(job: ClaimedJob, step: JobStep, progress: number): Promise<boolean> {
      const { rowCount } = await db
        .update(jobs)
        .set({ step, progress, seenAt: sql`now()` })
        .where(mine(job))
      return rowCount === 1
    },

    /** Ends a job that can't succeed, in `step`. `detail` is a sentence for the admin. */
    async fail(job: ClaimedJob, step: JobStep, code: JobErrorCode, detail: string): Promise<void> {
      await db
        .update(jobs)
        .set({
          status: 'failed',
          step,
          errorCode: code,
          errorDetail: detail,
          completedAt: sql`now()`,
        })
        .where(mine(job))
    },

    /** Ends a job that nobody holds, whatever its version. */
    async cancel(jobId: JobId, code: JobErrorCode, detail: string): Promise<void> {
      await db
        .update(jobs)
        .set({ status: 'failed', errorCode: code, errorDetail: detail, completedAt: sql`now()` })
        .where(and(eq(jobs.id, jobId), sql`status in ('queued', 'processing')`))
    },

    /** Puts a job back in the queue to be tried again; the reason stays readable meanwhile. */
    async requeue(job: ClaimedJob, code: JobErrorCode, detail: string): Promise<void> {
      await db
        .update(jobs)
        .set({ status: 'queued', step: null, progress: 0, errorCode: code, errorDetail: detail })
        .where(mine(job))
    },

    /** Forgets the version of a run that has stored nothing: what is under its prefix is not its own. */
    async forgetVersion({ trackId, version }: ClaimedJob): Promise<void> {
      await db
        .delete(trackVersions)
        .where(
          and(
            eq(trackVersions.trackId, trackId),
            eq(trackVersions.version, version),
            eq(trackVersions.status, 'building'),
          ),
        )
    },

    /** Puts a job back as if this run had never been: the fault was not the job's. */
    async handBack(job: ClaimedJob): Promise<void> {
      await db
        .update(jobs)
        .set({
          status: 'queued',
          step: null,
          progress: 0,
          attempts: sql`greatest(0, ${jobs.attempts} - 1)`,
        })
        .where(mine(job))
    },
  }
}
