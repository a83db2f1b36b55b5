import { JobId, JobKind, JobStatus, JobStep, TrackId, UploadId } from '@mist/db/contract'
import { z } from 'zod'

/** What the transcoder does, or did, with one upload. `progress` runs from 0 to 1. */
export const Job = z
  .object({
    id: JobId,
    status: JobStatus,
    step: JobStep.nullable(),
    progress: z.number().min(0).max(1),
    attempts: z.int(),
    trackId: TrackId,
    error: z.object({ code: z.string(), detail: z.string() }).nullable(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    completedAt: z.iso.datetime().nullable(),
    kind: JobKind,
    uploadId: UploadId,
    filename: z.string(),
  })
  .meta({ id: 'Job' })
export type Job = z.infer<typeof Job>
