import { eq, type SQL } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JobId, newId, type TrackId, UploadId } from '../contract/ids.ts'
import { TranscodeJob } from '../contract/jobs.ts'
import { jobs, outbox, tracks, uploads } from '../schema/index.ts'
import { makeTestDatabase, makeTrack, type TestDatabase } from '../testing/index.ts'
import { enqueueJob, retryJob } from './enqueue-jobs.ts'

let db: TestDatabase
let close: () => Promise<void>
const now = new Date('2026-03-01T12:00:00Z')

beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
})
afterAll(() => close())

/** A published track with its original, and the finished job that made it. */
async function makeIngested(): Promise<{ trackId: TrackId; uploadId: UploadId; jobId: JobId }> {
  const { trackId } = await makeTrack(db)
  const uploadId = newId(UploadId)
  const jobId = newId(JobId)
  await db.insert(uploads).values({
    id: uploadId,
    filename: 'a.flac',
    sizeBytes: 1,
    contentType: 'audio/flac',
    objectKey: `originals/${uploadId}`,
    expiresAt: now,
    completedAt: now,
  })
  await db.update(tracks).set({ uploadId }).where(eq(tracks.id, trackId))
  await db
    .insert(jobs)
    .values({ id: jobId, kind: 'ingest', uploadId, trackId, status: 'completed' })
  return { trackId, uploadId, jobId }
}

/** Runs a statement; the jobs that it queued, for which the outbox has a row each. */
async function queuedBy(statement: SQL): Promise<{ jobId: JobId; trackId: TrackId }[]> {
  await db.delete(outbox)
  const { rows } = await db.execute<{ id: JobId }>(statement)
  const notes = (await db.select().from(outbox).orderBy(outbox.id)).map(({ topic, payload }) => {
    expect(topic).toBe('transcode')
    return TranscodeJob.parse(payload)
  })
  expect(new Set(notes.map(({ jobId }) => jobId))).toEqual(new Set(rows.map(({ id }) => id)))
  for (const { jobId, trackId } of notes)
    expect(await db.select().from(jobs).where(eq(jobs.id, jobId))).toMatchObject([
      { trackId, status: 'queued', queuedAt: now },
    ])
  return notes
}

test('a job is queued together with its outbox row, or not at all', async () => {
  const { trackId, uploadId } = await makeIngested()
  const job = { id: newId(JobId), kind: 'replace' as const, trackId, uploadId }
  expect(await queuedBy(enqueueJob(job, now))).toMatchObject([{ jobId: job.id, trackId }])
  await expect(db.execute(enqueueJob(job, now))).rejects.toThrow(/insert into jobs/)
  expect(await db.select().from(outbox)).toHaveLength(1)
})

test('only a failed job of a track that is there is tried again', async () => {
  const { trackId, jobId } = await makeIngested()
  expect(await queuedBy(retryJob(jobId, { command: 'a test' }, now))).toEqual([])
  const failed = { status: 'failed', errorCode: 'internal', errorDetail: 'It broke.' } as const
  await db.update(jobs).set(failed).where(eq(jobs.id, jobId))
  expect(await queuedBy(retryJob(jobId, { command: 'a test' }, now))).toMatchObject([
    { jobId, trackId },
  ])
  expect(await db.select().from(jobs).where(eq(jobs.id, jobId))).toMatchObject([
    { errorCode: null, errorDetail: null, step: null, progress: 0 },
  ])
  await db.update(jobs).set(failed).where(eq(jobs.id, jobId))
  await db.update(tracks).set({ deletedAt: now }).where(eq(tracks.id, trackId))
  expect(await queuedBy(retryJob(jobId, { command: 'a test' }, now))).toEqual([])
})
