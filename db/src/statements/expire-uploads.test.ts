import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JobId, newId, TrackId, UploadId } from '../contract/ids.ts'
import type { JobStatus } from '../contract/jobs.ts'
import { jobs, tombstones, uploads } from '../schema/index.ts'
import { makeTestDatabase, type TestDatabase } from '../testing/index.ts'
import { expireUploads } from './expire-uploads.ts'

let db: TestDatabase
let close: () => Promise<void>
const now = new Date('2026-03-01T12:00:00Z')
const past = new Date('2026-03-01T11:59:59Z')

beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
})
afterAll(() => close())

async function makeOpenUpload(
  upload: Partial<typeof uploads.$inferInsert> = {},
  status: JobStatus = 'pending_upload',
): Promise<{ uploadId: UploadId; jobId: JobId }> {
  const uploadId = newId(UploadId)
  const jobId = newId(JobId)
  await db.insert(uploads).values({
    id: uploadId,
    filename: 'a.flac',
    sizeBytes: 1,
    contentType: 'audio/flac',
    objectKey: `key/${uploadId}`,
    expiresAt: past,
    ...upload,
  })
  const trackId = newId(TrackId)
  await db.insert(jobs).values({ id: jobId, kind: 'ingest', uploadId, trackId, status })
  return { uploadId, jobId }
}

async function expire(limit = 100): Promise<unknown[]> {
  const { rows } = await db.execute<{ id: string }>(expireUploads(now, limit))
  return rows.map(({ id }) => id)
}

test('an upload whose time is over fails its job and leaves a tombstone, once', async () => {
  const { uploadId, jobId } = await makeOpenUpload({ multipartId: 'parts' })
  expect(await expire()).toEqual([uploadId])
  expect(await expire()).toEqual([])
  expect(await db.select().from(uploads).where(eq(uploads.id, uploadId))).toMatchObject([
    { abandonedAt: now },
  ])
  expect(await db.select().from(jobs).where(eq(jobs.id, jobId))).toMatchObject([
    { status: 'failed', errorCode: 'upload-expired', completedAt: now },
  ])
  expect(await db.select().from(tombstones).where(eq(tombstones.uploadId, uploadId))).toMatchObject(
    [{ bucket: 'originals', multipartId: 'parts', reason: 'upload-abandoned', notBefore: now }],
  )
})

test('an upload that has time left, is complete, or whose job runs stays as it is', async () => {
  await makeOpenUpload({ expiresAt: new Date('2026-03-01T12:00:01Z') })
  await makeOpenUpload({ completedAt: past }, 'queued')
  await makeOpenUpload({}, 'processing')
  expect(await expire()).toEqual([])
  expect(await db.$count(tombstones, sql`upload_id is not null`)).toBe(1)
})

test('at most so many are expired at once, the longest overdue first', async () => {
  const later = await makeOpenUpload()
  const sooner = await makeOpenUpload({ expiresAt: new Date('2026-02-01T00:00:00Z') })
  expect(await expire(1)).toEqual([sooner.uploadId])
  expect(await expire(1)).toEqual([later.uploadId])
})
