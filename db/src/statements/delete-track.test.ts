import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JobId, newId, TrackId, UploadId } from '../contract/ids.ts'
import { jobs, listeningSessions, tombstones, tracks, uploads } from '../schema/index.ts'
import {
  makeMeterCalls,
  makeTestDatabase,
  makeTrack,
  makeUser,
  type TestDatabase,
} from '../testing/index.ts'
import { deleteTrack } from './delete-track.ts'

let db: TestDatabase
let close: () => Promise<void>
const now = new Date('2026-03-01T12:00:00Z')
const hoursLater = (hours: number) => new Date(now.getTime() + hours * 3_600_000)

beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
})
afterAll(() => close())

async function remove(trackId: TrackId, options?: { again: boolean }): Promise<unknown[]> {
  return (await db.execute(deleteTrack(trackId, now, options))).rows
}

test('a deleted track is hidden, ends what runs, and leaves tombstones for a day later', async () => {
  const { trackId } = await makeTrack(db)
  const { userId, familyId } = await makeUser(db)
  await makeMeterCalls(db).start(userId, familyId, trackId, now)
  const uploadId = newId(UploadId)
  await db.insert(uploads).values({
    id: uploadId,
    filename: 'a.flac',
    sizeBytes: 1,
    contentType: 'audio/flac',
    objectKey: `key/${uploadId}`,
    multipartId: 'parts',
    // Its URLs outlive the day.
    expiresAt: hoursLater(30),
  })
  const jobId = newId(JobId)
  await db
    .insert(jobs)
    .values({ id: jobId, kind: 'replace', uploadId, trackId, status: 'pending_upload' })

  expect(await remove(trackId)).toEqual([{ id: trackId }])
  expect(await db.select().from(tracks).where(eq(tracks.id, trackId))).toMatchObject([
    { deletedAt: now },
  ])
  expect(
    await db.select().from(listeningSessions).where(eq(listeningSessions.trackId, trackId)),
  ).toMatchObject([{ endReason: 'track-deleted' }])
  expect(await db.select().from(jobs).where(eq(jobs.id, jobId))).toMatchObject([
    { status: 'failed', errorCode: 'original-missing' },
  ])
  expect(
    await db
      .select()
      .from(tombstones)
      .where(eq(tombstones.trackId, trackId))
      .orderBy(tombstones.bucket),
  ).toMatchObject([
    { bucket: 'media', key: `tracks/${trackId}/`, isPrefix: true, notBefore: hoursLater(24) },
    { bucket: 'originals', multipartId: 'parts', uploadId, notBefore: hoursLater(31) },
  ])
})

test('deleting twice, or what is not there, does nothing', async () => {
  const { trackId } = await makeTrack(db)
  expect(await remove(trackId)).toHaveLength(1)
  expect(await remove(trackId)).toEqual([])
  expect(await remove(newId(TrackId))).toEqual([])
})

test('a track that an older release deleted without tombstones gets them afterwards', async () => {
  const { trackId } = await makeTrack(db)
  const before = hoursLater(-100)
  await db.update(tracks).set({ deletedAt: before }).where(eq(tracks.id, trackId))
  expect(await remove(trackId, { again: true })).toHaveLength(1)
  expect(await remove(trackId, { again: true })).toHaveLength(1)
  expect(await db.select().from(tracks).where(eq(tracks.id, trackId))).toMatchObject([
    { deletedAt: before },
  ])
  expect(await db.select().from(tombstones).where(eq(tombstones.trackId, trackId))).toHaveLength(1)
})
