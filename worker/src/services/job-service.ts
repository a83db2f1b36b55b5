import type { JobId, JobStatus } from '@mist/db/contract'
import type { AdminActor } from '@mist/db/statements'
import type { Job } from '../contract/jobs.ts'
import type { Page, PageQuery } from '../contract/pages.ts'
import type { Clock } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { Problem } from '../problem.ts'
import type { JobRepo, JobRow } from '../repos/job-repo.ts'
import { pageThrough } from './paging.ts'

function presentJob(row: JobRow): Job {
  return {
    id: row.id,
    status: row.status,
    step: row.step,
    progress: row.progress,
    attempts: row.attempts,
    trackId: row.trackId,
    error: row.errorCode === null ? null : { code: row.errorCode, detail: row.errorDetail ?? '' },
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    completedAt: row.completedAt?.toISOString() ?? null,
    kind: row.kind,
    uploadId: row.uploadId,
    filename: row.filename,
  }
}

/** What the transcoder does, seen and steered by admins. */
export function makeJobService({
  jobs,
  store,
  bucket,
  clock,
}: {
  jobs: JobRepo
  store: ObjectStore
  bucket: string
  clock: Clock
}) {
  async function find(jobId: JobId): Promise<JobRow> {
    const job = await jobs.find(jobId)
    if (!job) throw new Problem('not-found', 'There is no such job.')
    return job
  }

  return {
    /** A page of jobs, the newest first. */
    list(query: PageQuery, status: JobStatus | null): Promise<Page<Job>> {
      return pageThrough(
        query,
        (limit, after) => jobs.list(limit, after, status),
        (row) => ({ at: row.cursorAt, id: row.id }),
        presentJob,
      )
    },

    find: async (jobId: JobId): Promise<Job> => presentJob(await find(jobId)),

    /** Queues a failed job again, where its original is still there. */
    async retry(jobId: JobId, by: AdminActor): Promise<Job> {
      const job = await find(jobId)
      if (job.status !== 'failed')
        throw new Problem(
          'job-not-retryable',
          `Only a failed job can be tried again; this one is ${job.status}.`,
        )
      if (job.uploadedAt === null || (await store.head(bucket, job.objectKey)) === null)
        throw new Problem('job-not-retryable', 'The original is not there. Upload the file again.')
      if (!(await jobs.retry(jobId, by, clock())))
        throw new Problem(
          'job-not-retryable',
          'The job was tried again already, or its track was deleted.',
        )
      return presentJob(await find(jobId))
    },

    /** Makes all published tracks anew from their originals; answers with how many those are. */
    retranscodeAll: (by: AdminActor): Promise<number> => jobs.retranscodeAll(by),
  }
}
