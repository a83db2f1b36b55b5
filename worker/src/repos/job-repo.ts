import type { JobId, JobStatus } from '@mist/db/contract'
import { jobs, tracks, uploads } from '@mist/db/schema'
import { type Actor, retryJob, startRemake } from '@mist/db/statements'
import { and, count, eq, getTableColumns, isNotNull, isNull } from 'drizzle-orm'
import type { Keyset } from '../contract/pages.ts'
import type { Database } from '../platform/database.ts'
import { exactInstant, isAfter, latestFirst } from './rows.ts'

const JOB = {
  ...getTableColumns(jobs),
  filename: uploads.filename,
  objectKey: uploads.objectKey,
  /** When the original was complete. */
  uploadedAt: uploads.completedAt,
  /** For cursors. */
  cursorAt: exactInstant(jobs.createdAt),
}
export type JobRow = Awaited<ReturnType<JobRepo['list']>>[number]

export function makeJobRepo({ db }: { db: Database }) {
  const select = () => db.select(JOB).from(jobs).innerJoin(uploads, eq(uploads.id, jobs.uploadId))

  return {
    async find(jobId: JobId) {
      const [row] = await select().where(eq(jobs.id, jobId))
      return row ?? null
    },

    /** Jobs, the newest first, after `after`. */
    list: (limit: number, after: Keyset | null, status: JobStatus | null) =>
      select()
        .where(
          and(
            status === null ? undefined : eq(jobs.status, status),
            isAfter(jobs.createdAt, jobs.id, after),
          ),
        )
        .orderBy(...latestFirst(jobs.createdAt, jobs.id))
        .limit(limit),

    /** Queues a failed job again. `false`: it has not failed, or its track was deleted. */
    async retry(jobId: JobId, by: Actor, now: Date): Promise<boolean> {
      return (await db.execute(retryJob(jobId, by, now))).rows.length > 0
    },

    /**
     * Starts to make all published tracks anew from their originals, in the background; where that is
     * under way nothing changes. Answers with how many tracks that is.
     */
    async retranscodeAll(by: Actor): Promise<number> {
      const isDue = and(
        isNotNull(tracks.publishedAt),
        isNull(tracks.deletedAt),
        isNotNull(tracks.uploadId),
      )
      const [, due] = await db.batch([
        db.execute(startRemake('retranscode', by)),
        db.select({ tracks: count() }).from(tracks).where(isDue),
      ])
      return due[0]?.tracks ?? 0
    },
  }
}

export type JobRepo = ReturnType<typeof makeJobRepo>
