import { JobId, newId, SessionId, TrackId } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { readAudit } from '@mist/db/testing'
import { makeUser } from '@mist/db/testing/factories'
import { and, eq, inArray, sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { join } from 'node:path'
import { makeOwnership, type Ownership } from './buckets/ownership.ts'
import { ownershipOptions } from './options.ts'
import { makeLog } from './platform/log.ts'
import { startWorker } from './jobs/worker.ts'
import { openQueue } from './platform/queue.ts'
import { makeRelay } from './relay.ts'
import { makeRemakes } from './remake.ts'
import { makeSweep } from './sweep.ts'
import { startFixture, type Fixture } from './testing/fixture.ts'
import { listKeys, synthesise } from './testing/hls.ts'
import { makeUpload, type TestUpload } from './testing/uploads.ts'

/** Who asks for it. */
const BY = { command: 'a test' }
const calm = { signal: new AbortController().signal, isLastAttempt: true }

let fixture: Fixture
let made: TestUpload[]
let remakes: ReturnType<typeof makeRemakes>
let ownership: Ownership
beforeAll(async () => {
  fixture = await startFixture({ env: { LADDER: '64' } })
  remakes = makeRemakes(fixture.db)
  const { db, objects, env } = fixture
  ownership = makeOwnership({ db, objects, ...ownershipOptions(env) })
  // While the buckets are empty: nothing is deleted from others' that bear no mark.
  await ownership.open()
  const file = join(fixture.files, 'tone.wav')
  await synthesise(file, ['-f', 'lavfi', '-i', 'sine=d=4.5'])
  made = []
  for (let i = 0; i < 3; i++) {
    const upload = await makeUpload(fixture, file, { withOutbox: false })
    await fixture.processor().run(upload.jobId, calm)
    made.push(upload)
  }
})
afterAll(() => fixture?.stop())
afterEach(async () => {
  await fixture.db.delete(schema.remakes)
  await fixture.db.delete(schema.auditLog)
  await fixture.db
    .delete(schema.jobs)
    .where(inArray(schema.jobs.kind, ['retranscode', 'reembed', 'retag']))
})

const jobsOf = (kind: 'retranscode' | 'retag', status: 'queued' | 'completed') =>
  fixture.db
    .select({ id: schema.jobs.id, trackId: schema.jobs.trackId })
    .from(schema.jobs)
    .where(and(eq(schema.jobs.kind, kind), eq(schema.jobs.status, status)))

async function runAll(kind: 'retranscode' | 'retag') {
  for (const { id } of await jobsOf(kind, 'queued')) await fixture.processor().run(id, calm)
}

const versions = async () => {
  const rows = await fixture.db
    .select({ version: schema.tracks.version })
    .from(schema.tracks)
    .where(
      inArray(
        schema.tracks.id,
        made.map(({ trackId }) => trackId),
      ),
    )
  return rows.map(({ version }) => version)
}

test('each published track is made anew once, and then the remake has ended', async () => {
  const before = await versions()
  expect(await remakes.start('retranscode', BY)).toBe(true)
  expect(await remakes.start('retranscode', BY)).toBe(false)
  expect(await remakes.feed()).toBe(3)
  expect(await remakes.feed()).toBe(0)
  expect(await remakes.status()).toMatchObject([
    { kind: 'retranscode', state: 'under way', total: 3, left: 3, inFlight: 3 },
  ])
  expect(await versions()).toEqual(before)
  await runAll('retranscode')
  expect(await versions()).toEqual(before.map((version) => version! + 1))
  for (let i = 0; i < 3; i++) expect(await remakes.feed()).toBe(0)
  expect(await remakes.status()).toMatchObject([{ state: 'ended', left: 0, failed: 0 }])
  // And may begin again.
  expect(await remakes.start('retranscode', BY)).toBe(true)
  expect(await remakes.feed()).toBe(3)
})

test('who listens keeps the version that was there, until nobody does', async () => {
  const { db, s3 } = fixture
  const { trackId } = made[0]!
  const [old] = await db
    .select({ version: schema.tracks.version })
    .from(schema.tracks)
    .where(eq(schema.tracks.id, trackId))
  const { userId, familyId } = await makeUser(db)
  const sessionId = newId(SessionId)
  await db.execute(
    sql`select start_listening_session(${sessionId}, ${userId}, ${familyId}, ${trackId}, 0, now())`,
  )
  await remakes.start('retranscode', BY)
  await remakes.feed()
  await runAll('retranscode')
  const kept = () => listKeys(s3, 'media', `tracks/${trackId}/${old!.version}/`)
  const before = await kept()
  expect(before.length).toBeGreaterThan(2)
  const sweep = makeSweep({
    db,
    objects: fixture.objects,
    ownership,
    log: makeLog('silent'),
    retiredVersionS: 0,
    abandonedUploadS: 0,
  })
  expect(await sweep.sweep()).toMatchObject({ held: null })
  expect(await kept()).toEqual(before)
  const [session] = await db
    .select({ version: schema.listeningSessions.version })
    .from(schema.listeningSessions)
    .where(eq(schema.listeningSessions.id, sessionId))
  expect(session).toEqual(old)

  await db
    .update(schema.listeningSessions)
    .set({ endedAt: new Date() })
    .where(eq(schema.listeningSessions.id, sessionId))
  await sweep.sweep()
  expect(await kept()).toEqual([])
})

test('a pause takes back what has not begun; after it all is done that was left, a stop forgets it', async () => {
  await remakes.start('retag', BY)
  await remakes.feed()
  const [first] = await jobsOf('retag', 'queued')
  await fixture.processor().run(first!.id, calm)
  expect(await remakes.pause('retag', BY)).toBe(true)
  expect(await remakes.pause('retag', BY)).toBe(false)
  expect(await jobsOf('retag', 'queued')).toEqual([])
  expect(await remakes.feed()).toBe(0)
  expect(await remakes.status()).toMatchObject([{ state: 'paused', left: 2, inFlight: 0 }])
  expect(await remakes.start('retag', BY)).toBe(false)

  expect(await remakes.resume('retag', BY)).toBe(true)
  // What was passed by already comes in the next pass.
  expect((await remakes.feed()) + (await remakes.feed())).toBe(2)
  const queued = await jobsOf('retag', 'queued')
  expect(queued.map(({ trackId }) => trackId)).not.toContain(first!.trackId)
  expect(await remakes.stop('retag', BY)).toBe(true)
  expect(await remakes.stop('retag', BY)).toBe(false)
  expect(await jobsOf('retag', 'queued')).toEqual([])
  expect(await remakes.status()).toEqual([])
  // Each that did something, once.
  expect(await readAudit(fixture.db)).toEqual(
    ['start', 'pause', 'resume', 'stop'].map((action) => ({
      ...BY,
      action: `remake.${action}`,
      target: 'installation',
      details: { kind: 'retag' },
    })),
  )
})

test('a track that cannot be made stays as it is, is told, and does not come again', async () => {
  await remakes.start('retag', BY)
  await remakes.feed()
  const [first] = await jobsOf('retag', 'queued')
  await fixture.db
    .update(schema.jobs)
    .set({ status: 'failed', errorCode: 'original-missing' })
    .where(eq(schema.jobs.id, first!.id))
  await runAll('retag')
  for (let i = 0; i < 3; i++) expect(await remakes.feed()).toBe(0)
  expect(await remakes.status()).toMatchObject([
    { state: 'ended', left: 0, failed: 1, failures: { 'original-missing': 1 } },
  ])
})

test('two transcoders that feed at once queue nothing twice', async () => {
  await remakes.start('retag', BY)
  const other = makeRemakes(fixture.db)
  const fed = await Promise.all([remakes.feed(), other.feed(), remakes.feed(), other.feed()])
  expect(fed.reduce((sum, jobs) => sum + jobs, 0)).toBe(3)
})

test('an upload goes before a remake that was queued earlier', async () => {
  const { db, stack } = fixture
  const log = makeLog('silent')
  const { redisUrl } = stack
  const queue = openQueue({ redisUrl, attempts: 1, log })
  const relay = makeRelay({ db, queue, deleteTrack: async () => {}, log })
  await remakes.start('retag', BY)
  await remakes.feed()
  await relay.relay()
  const jobId = newId(JobId)
  const trackId = newId(TrackId)
  await db.insert(schema.jobs).values({
    id: jobId,
    kind: 'ingest',
    uploadId: made[0]!.uploadId,
    trackId,
    status: 'queued',
  })
  await db.insert(schema.outbox).values({ topic: 'transcode', payload: { v: 1, jobId, trackId } })
  await relay.relay()
  expect(await queue.depth()).toBe(4)

  const order: JobId[] = []
  const all = Promise.withResolvers<void>()
  const worker = startWorker({
    redisUrl,
    concurrency: 1,
    processor: {
      run: async (id) => {
        if (order.push(id) === 4) all.resolve()
        return { kind: 'skipped' }
      },
    },
    log,
    onOutcome: () => {},
  })
  await all.promise
  await worker.close(0)
  await queue.close()
  expect(order[0]).toBe(jobId)
})
