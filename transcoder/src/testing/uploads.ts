import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { JobId, JobKind, newId, originalKey, TrackId, UploadId } from '@mist/db/contract'
import { jobs, tracks, uploads, type UploadMetadata } from '@mist/db/schema'
import { enqueueJob } from '@mist/db/statements'
import { eq } from 'drizzle-orm'
import type { Database } from '../platform/database.ts'
import type { TestStack } from './stack.ts'

export type TestUpload = { jobId: JobId; trackId: TrackId; uploadId: UploadId }

/** An S3 client of the test's own, to put originals and to look at what is stored. */
export function makeTestS3(stack: TestStack): S3Client {
  return new S3Client({
    endpoint: stack.s3.endpoint,
    region: 'auto',
    forcePathStyle: true,
    credentials: stack.s3,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}

/**
 * Does what the API does when an upload is complete: the original in its bucket, and the rows of
 * upload, track, job and outbox.
 */
export async function makeUpload(
  { db, s3 }: { db: Database; s3: S3Client },
  original: string | Uint8Array,
  options: {
    metadata?: UploadMetadata
    kind?: JobKind
    trackId?: TrackId
    title?: string
    sizeBytes?: number
    withOutbox?: boolean
  } = {},
): Promise<TestUpload> {
  // Streamed, so that a long recording does not count as the memory of the process that tests it.
  const body = typeof original === 'string' ? createReadStream(original) : original
  const length = typeof original === 'string' ? (await stat(original)).size : original.length
  const { kind = 'ingest', metadata = {}, withOutbox = true } = options
  const uploadId = newId(UploadId)
  const jobId = newId(JobId)
  const trackId = options.trackId ?? newId(TrackId)
  const filename = typeof original === 'string' ? basename(original) : 'upload.bin'
  await s3.send(
    new PutObjectCommand({
      Bucket: 'originals',
      Key: originalKey(uploadId),
      Body: body,
      ContentLength: length,
    }),
  )
  await db.transaction(async (tx) => {
    await tx.insert(uploads).values({
      id: uploadId,
      filename,
      sizeBytes: options.sizeBytes ?? Math.max(1, length),
      contentType: 'application/octet-stream',
      metadata,
      objectKey: originalKey(uploadId),
      expiresAt: new Date(Date.now() + 3_600_000),
      completedAt: new Date(),
    })
    if (options.trackId === undefined) {
      await tx.insert(tracks).values({ id: trackId, title: options.title ?? filename })
    }
    const job = { id: jobId, kind, uploadId, trackId }
    if (withOutbox) await tx.execute(enqueueJob(job, new Date()))
    else await tx.insert(jobs).values({ ...job, status: 'queued', queuedAt: new Date() })
  })
  return { jobId, trackId, uploadId }
}

/** Waits until a job is in one of `statuses`. @throws after `timeoutMs` */
export async function untilJob(
  db: Database,
  jobId: JobId,
  statuses: readonly string[] = ['completed', 'failed'],
  timeoutMs = 60_000,
): Promise<typeof jobs.$inferSelect> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const [row] = await db
      .select()
      .from(jobs)
      .where(eq(jobs.id, jobId))
      .catch(() => [])
    if (row !== undefined && statuses.includes(row.status)) return row
    if (Date.now() > deadline) {
      throw new Error(`job ${jobId} is still ${row?.status} (${row?.step}, ${row?.errorDetail})`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
