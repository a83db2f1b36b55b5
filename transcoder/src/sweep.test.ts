import { newId, JobId, originalKey, TrackId, UploadId } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { readAudit } from '@mist/db/testing'
import { eq, sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeOrphans } from './buckets/orphans.ts'
import { keysIn, publishTrack, startInstallations, storeVersion } from './testing/installations.ts'

/** Who says so. */
const PERSON = { command: 'a test' }
const ONE = '019a0000-0000-7000-8000-000000000001'
const MARK = '.mist/owner.json'

let world: Awaited<ReturnType<typeof startInstallations>>
beforeAll(async () => {
  world = await startInstallations()
})
afterEach(() => world?.release())
afterAll(() => world?.stop())

async function inUse() {
  const { db } = await world.database()
  const objects = world.store(world.pair())
  const stack = world.installation({ db, objects, setting: ONE })
  await stack.ownership.open()
  return { ...stack, db, objects }
}
type InUse = Awaited<ReturnType<typeof inUse>>

/** Lets the day pass for which what was deleted is kept. */
const aDayLater = ({ db }: InUse) =>
  db.update(schema.tombstones).set({ notBefore: sql`now() - interval '1 second'` })

test('objects that no row knows are never deleted, however old: they are reported', async () => {
  const stack = await inUse()
  const { objects, db, ownership, sweep } = stack
  await publishTrack(stack)
  const orphan = originalKey(newId(UploadId))
  await objects.writeText('originals', orphan, 'somebody’s master', null)
  await storeVersion(objects, newId(TrackId), 1)
  const before = [...(await keysIn(objects, 'media')), ...(await keysIn(objects, 'originals'))]
  expect(await sweep()).toMatchObject({ tombstones: 0, objects: 0, held: null })
  expect([...(await keysIn(objects, 'media')), ...(await keysIn(objects, 'originals'))]).toEqual(
    before,
  )

  const orphans = makeOrphans({ db, objects, ownership, youngMs: -60_000 })
  const shown = await orphans.list()
  expect(shown.items).toHaveLength(4)
  expect(shown.items.map(({ key }) => key)).toContain(orphan)
  // Young ones may belong to a run whose row is just being written.
  expect((await makeOrphans({ db, objects, ownership }).list()).items).toEqual([])

  // Exactly what was shown, or nothing.
  await objects.writeText('originals', originalKey(newId(UploadId)), 'x', null)
  expect(await orphans.delete(shown.digest, PERSON)).toMatch(/not the orphans that were shown/)
  expect(await readAudit(db)).toEqual([])
  const { items, digest } = await orphans.list()
  expect(await orphans.delete(digest, PERSON)).toBe(items.length)
  expect(await readAudit(db)).toEqual([
    {
      ...PERSON,
      action: 'orphans.delete',
      target: 'installation',
      details: { objects: items.length, digest },
    },
  ])
  expect((await orphans.list()).items).toEqual([])
  expect(await keysIn(objects, 'media')).toHaveLength(5)
})

test('orphans stay where the marks do not agree', async () => {
  const { db, objects } = await inUse()
  await objects.writeText('originals', originalKey(newId(UploadId)), 'x', null)
  const { ownership } = world.installation({ db, objects, setting: null })
  const orphans = makeOrphans({ db, objects, ownership, youngMs: -60_000 })
  const { digest } = await orphans.list()
  expect(await orphans.delete(digest, PERSON)).toMatch(/INSTALLATION_ID/)
  expect(await keysIn(objects, 'originals')).toHaveLength(2)
})

test('a deleted track is kept a day, then its objects go; a stub and what was heard of it stay', async () => {
  const stack = await inUse()
  const { db, objects, sweep, deleteTrack } = stack
  const { trackId, uploadId } = await publishTrack(stack)
  const userId = '019a0000-0000-7000-8000-0000000000aa'
  await db.execute(sql`insert into users (id, email, username, password_hash)
    values (${userId}, 'a@example.test', 'a', 'x')`)
  await db.execute(sql`insert into play_history (session_id, user_id, track_id, started_at, heard_s)
    values (${newId(JobId)}, ${userId}, ${trackId}, now(), 31)`)
  await db.insert(schema.trackTotals).values({ trackId, plays: 7, completions: 2 })
  await deleteTrack(trackId)
  await deleteTrack(trackId)
  expect(await sweep()).toMatchObject({ tombstones: 0 })
  expect(await keysIn(objects, 'media')).toHaveLength(5)

  await aDayLater(stack)
  expect(await sweep()).toMatchObject({ tombstones: 2, objects: 5, failed: 0 })
  expect(await keysIn(objects, 'media')).toEqual([MARK])
  expect(await keysIn(objects, 'originals')).toEqual([MARK])
  const [stub] = await db.select().from(schema.tracks).where(eq(schema.tracks.id, trackId))
  expect(stub).toMatchObject({ title: 'Kept', version: null, purgedAt: expect.any(Date) })
  expect(await db.select().from(schema.playHistory)).toHaveLength(1)
  expect(await db.select().from(schema.trackTotals)).toMatchObject([{ plays: 7 }])
  expect(await db.select().from(schema.uploads).where(eq(schema.uploads.id, uploadId))).toEqual([])
  expect(await sweep()).toMatchObject({ tombstones: 0, objects: 0 })
})

test('a track that an older Worker deleted gets its tombstones from the sweep', async () => {
  const stack = await inUse()
  const { db, sweep } = stack
  const { trackId } = await publishTrack(stack)
  await db.update(schema.tracks).set({ deletedAt: new Date() }).where(eq(schema.tracks.id, trackId))
  await sweep()
  const rows = await db.select().from(schema.tombstones)
  expect(rows.map(({ bucket, reason }) => `${bucket} ${reason}`).sort()).toEqual([
    'media track-deleted',
    'originals track-deleted',
  ])
  expect(rows.every(({ notBefore }) => notBefore.getTime() > Date.now() + 23 * 3_600_000)).toBe(
    true,
  )
})

test('a tombstone that today’s rows contradict deletes nothing', async () => {
  const stack = await inUse()
  const { db, objects, sweep, deleteTrack } = stack
  const back = await publishTrack(stack)
  await deleteTrack(back.trackId)
  await db.update(schema.tracks).set({ deletedAt: null }).where(eq(schema.tracks.id, back.trackId))
  const live = await publishTrack(stack)
  await db.insert(schema.tombstones).values([
    {
      bucket: 'media',
      key: `tracks/${live.trackId}/1/`,
      isPrefix: true,
      reason: 'version-retired',
      trackId: live.trackId,
      version: 1,
    },
    {
      bucket: 'originals',
      key: originalKey(live.uploadId),
      reason: 'upload-abandoned',
      uploadId: live.uploadId,
    },
  ])
  await aDayLater(stack)
  expect(await sweep()).toMatchObject({ tombstones: 0, objects: 0 })
  expect(await keysIn(objects, 'media')).toHaveLength(9)
  expect(await keysIn(objects, 'originals')).toHaveLength(3)
})

test('the database takes no tombstone of a prefix that is not one track’s or one version’s', async () => {
  const { db } = await inUse()
  for (const key of ['', 'tracks/', '.mist/', 'tracks/../', 'originals/']) {
    const insert = db
      .insert(schema.tombstones)
      .values({ bucket: 'media', key, isPrefix: true, reason: 'track-deleted' })
    await expect(insert).rejects.toThrow(/tombstones/)
  }
})

test('a store that fails in the middle costs nothing: the next sweep finishes', async () => {
  const stack = await inUse()
  const { db, objects, ownership } = stack
  const tracks = [await publishTrack(stack), await publishTrack(stack)]
  for (const { trackId } of tracks) await stack.deleteTrack(trackId)
  await aDayLater(stack)
  let calls = 0
  const failing = {
    ...objects,
    delete: (...args: Parameters<typeof objects.delete>) =>
      ++calls === 2 ? Promise.reject(new Error('503 SlowDown')) : objects.delete(...args),
  }
  const first = world.installation({ db, objects: failing, setting: ONE })
  expect(await first.sweep()).toMatchObject({ tombstones: 3, failed: 1 })
  expect(
    await db
      .select()
      .from(schema.tombstones)
      .where(sql`failure is not null`),
  ).toMatchObject([{ failure: '503 SlowDown', purgedAt: null }])
  await aDayLater(stack)
  expect(await stack.sweep()).toMatchObject({ tombstones: 1, failed: 0 })
  expect(await ownership.open()).toBeNull()
  expect(await keysIn(objects, 'media')).toEqual([MARK])
  expect(await keysIn(objects, 'originals')).toEqual([MARK])
})

test('two sweeps at once delete the same, and nothing else', async () => {
  const stack = await inUse()
  const gone = [await publishTrack(stack), await publishTrack(stack), await publishTrack(stack)]
  await publishTrack(stack)
  for (const { trackId } of gone) await stack.deleteTrack(trackId)
  await aDayLater(stack)
  const { db, objects } = stack
  const other = world.installation({ db, objects, setting: ONE })
  await Promise.all([stack.sweep(), other.sweep()])
  await stack.sweep()
  expect(await keysIn(objects, 'media')).toHaveLength(5)
  expect(await keysIn(objects, 'originals')).toHaveLength(2)
  expect(
    await db
      .select()
      .from(schema.tombstones)
      .where(sql`purged_at is null`),
  ).toEqual([])
})

test('a sweep stops where the marks become somebody else’s while it runs', async () => {
  const stack = await inUse()
  const tracks = [await publishTrack(stack), await publishTrack(stack)]
  for (const { trackId } of tracks) await stack.deleteTrack(trackId)
  await aDayLater(stack)
  const { db, objects } = stack
  const thief = world.installation({
    db: (await world.database()).db,
    objects,
    setting: '019a0000-0000-7000-8000-000000000002',
  })
  const watched = {
    ...objects,
    async delete(...args: Parameters<typeof objects.delete>) {
      await objects.delete(...args)
      await thief.ownership.claim(ONE, PERSON)
    },
  }
  const swept = await world.installation({ db, objects: watched, setting: ONE }).sweep()
  expect(swept).toMatchObject({ tombstones: 1, held: 'The owner marks have changed.' })
})

test('what a dead run left is deleted by the row that names it, and the published version stays', async () => {
  const stack = await inUse()
  const { db, objects, sweep } = stack
  const { trackId, uploadId } = await publishTrack(stack)
  const jobId = newId(JobId)
  const seenAt = new Date(Date.now() - 3_600_000)
  await db.insert(schema.jobs).values({
    id: jobId,
    kind: 'retranscode',
    uploadId,
    trackId,
    status: 'processing',
    version: 2,
    seenAt,
  })
  await db
    .insert(schema.trackVersions)
    .values({ trackId, version: 2, jobId, status: 'building', createdAt: seenAt })
  await storeVersion(objects, trackId, 2)
  expect(await sweep()).toMatchObject({ tombstones: 1, objects: 3 })
  expect(await keysIn(objects, 'media')).toHaveLength(5)
  expect(await db.select().from(schema.trackVersions)).toMatchObject([{ version: 1 }])
})

test('what was uploaded in time is not given up, and what was given up can’t be completed', async () => {
  const { db, sweep } = await inUse()
  const uploadId = newId(UploadId)
  await db.insert(schema.uploads).values({
    id: uploadId,
    filename: 'a.flac',
    sizeBytes: 1,
    contentType: 'audio/flac',
    objectKey: originalKey(uploadId),
    expiresAt: new Date(Date.now() + 60_000),
  })
  await sweep()
  expect(await db.select().from(schema.tombstones)).toEqual([])
  await db.update(schema.uploads).set({ expiresAt: new Date(Date.now() - 1000) })
  expect(await sweep()).toMatchObject({ tombstones: 1, objects: 0 })
  expect(await db.select().from(schema.uploads)).toEqual([])
})
