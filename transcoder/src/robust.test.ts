import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { newId, JobId, TrackId } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { readAudit } from '@mist/db/testing'
import { eq, sql } from 'drizzle-orm'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeOwnership } from './buckets/ownership.ts'
import { ownershipOptions } from './options.ts'
import { makeLog } from './platform/log.ts'
import { makeRemakes } from './remake.ts'
import { makeSweep } from './sweep.ts'
import { demo, startFixture, type Fixture } from './testing/fixture.ts'
import { getMedia, listKeys, synthesise } from './testing/hls.ts'
import { makeUpload, untilJob, type TestUpload } from './testing/uploads.ts'

/** How long a part is unavailable; `OUTAGE_S=60` for a minute. */
const OUTAGE_S = Number(process.env['OUTAGE_S'] ?? 6)

const BY = { command: 'a test' }

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const SWEEP = fileURLToPath(new URL('cli/sweep.ts', import.meta.url))

let fixture: Fixture
let short: string
beforeAll(async () => {
  fixture = await startFixture()
  const { db, objects, env } = fixture
  await makeOwnership({ db, objects, ...ownershipOptions(env) }).open()
  short = await synthesise(join(fixture.files, 'short.flac'), [
    '-i',
    demo('hungarian-dance-no-5.ogg'),
    '-map',
    '0:a:0',
    '-t',
    '15',
    '-c:a',
    'flac',
  ])
})
afterAll(() => fixture?.stop())

const running = new Set<ChildProcess>()
let printed = ''

/** The transcoder as it runs in production: a process of its own. */
async function startTranscoder(changes: Record<string, string> = {}): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...fixture.stack.env, ...changes },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  await new Promise<void>((resolve, reject) => {
    let own = ''
    const onText = (text: string) => {
      printed += text
      own += text
      if (own.includes('"msg":"ready"')) resolve()
    }
    child.stdout.setEncoding('utf8').on('data', onText)
    child.stderr.setEncoding('utf8').on('data', onText)
    // Not `exit`: what it said last may still be on its way then.
    child.once('close', () => reject(new Error(`the transcoder ended: ${own}`)))
  })
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

afterEach(async () => {
  await Promise.all([...running].map((child) => end(child, 'SIGKILL')))
})

async function untilStep(job: TestUpload, step: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const [row] = await fixture.db.select().from(schema.jobs).where(eq(schema.jobs.id, job.jobId))
    if (row?.step === step || row?.status === 'completed') return
    await sleep(50)
  }
  throw new Error(`the job never came to ${step}`)
}

async function publishedVersions({ trackId }: TestUpload) {
  const rows = await fixture.db
    .select()
    .from(schema.trackVersions)
    .where(eq(schema.trackVersions.trackId, trackId))
  return rows.filter((row) => row.status === 'published')
}

test('a transcoder killed in the middle of a job is restarted and publishes it exactly once', async () => {
  const first = await startTranscoder()
  const upload = await makeUpload(fixture, demo('vibe-ace.ogg'))
  await untilStep(upload, 'encode')
  await end(first, 'SIGKILL')
  await startTranscoder()
  const job = await untilJob(fixture.db, upload.jobId)
  expect(job).toMatchObject({ status: 'completed', attempts: 2 })
  expect(await publishedVersions(upload)).toHaveLength(1)

  // What the dead run left goes with the sweep; what was published stays.
  await fixture.db
    .update(schema.trackVersions)
    .set({ createdAt: sql`now() - interval '1 hour'` })
    .where(eq(schema.trackVersions.trackId, upload.trackId))
  const { s3 } = fixture
  expect(await makeTestSweep().sweep()).toMatchObject({ held: null })
  const keys = await listKeys(s3, 'media', `tracks/${upload.trackId}/`)
  expect(new Set(keys.map((key) => key.split('/')[2]))).toEqual(new Set([String(job.version)]))
  expect(keys.length).toBeGreaterThan(45)
}, 120_000)

test('a run that was held for dead publishes nothing when it comes back', async () => {
  const upload = await makeUpload(fixture, short)
  const bury = async () => {
    await fixture.db
      .update(schema.trackVersions)
      .set({ status: 'dead' })
      .where(eq(schema.trackVersions.trackId, upload.trackId))
  }
  const buried: Promise<unknown>[] = []
  const slow = fixture.processor(
    {},
    { onStep: (step) => step === 'analyse' && buried.push(bury()) },
  )
  const outcome = slow.run(upload.jobId, CALM)
  expect(await outcome).toEqual({ kind: 'skipped' })
  await Promise.all(buried)
  expect(await publishedVersions(upload)).toEqual([])
  expect(await fixture.processor().run(upload.jobId, CALM)).toMatchObject({ kind: 'completed' })
  expect(await publishedVersions(upload)).toMatchObject([{ version: 2 }])
}, 60_000)

test('what a copy of the database has stored under the same version is neither overwritten nor swept', async () => {
  const { db, s3 } = fixture
  const upload = await makeUpload(fixture, short)
  const key = `tracks/${upload.trackId}/1/64k/0.m4s`
  await s3.send(new PutObjectCommand({ Bucket: 'media', Key: key, Body: 'of another timeline' }))
  expect(await fixture.processor().run(upload.jobId, CALM)).toMatchObject({ kind: 'wait' })
  expect(await fixture.processor().run(upload.jobId, CALM)).toMatchObject({ kind: 'completed' })
  expect(await publishedVersions(upload)).toMatchObject([{ version: 2 }])
  await db.update(schema.trackVersions).set({ createdAt: hoursAgo(1) })
  await makeTestSweep({ retiredVersionS: 0 }).sweep()
  expect((await getMedia(s3, key)).toString()).toBe('of another timeline')
}, 60_000)

test('a sweep killed in the middle is finished by the next', async () => {
  const { db, s3 } = fixture
  const uploads = [await makeUpload(fixture, short), await makeUpload(fixture, short)]
  for (const { jobId } of uploads) await fixture.processor().run(jobId, CALM)
  for (const { trackId } of uploads) await makeTestSweep().deleteTrack(trackId)
  await db.update(schema.tombstones).set({ notBefore: hoursAgo(1) })
  const kept = await makeUpload(fixture, short)
  await fixture.processor().run(kept.jobId, CALM)
  const before = await listKeys(s3, 'media', '')
  const sweeper = spawn(process.execPath, [SWEEP], {
    env: { ...process.env, ...fixture.stack.env },
    stdio: 'ignore',
  })
  while ((await listKeys(s3, 'media', '')).length === before.length) await sleep(5)
  await end(sweeper, 'SIGKILL')
  expect(await makeTestSweep().sweep()).toMatchObject({ held: null, failed: 0 })
  for (const { trackId, uploadId } of uploads) {
    expect(await listKeys(s3, 'media', `tracks/${trackId}/`)).toEqual([])
    expect(await listKeys(s3, 'originals', `originals/${uploadId}`)).toEqual([])
  }
  expect((await listKeys(s3, 'media', `tracks/${kept.trackId}/`)).length).toBeGreaterThan(10)
  expect(await listKeys(s3, 'originals', `originals/${kept.uploadId}`)).toHaveLength(1)
}, 60_000)

test('a transcoder waits for a store that is unavailable at its start, and refuses one that is another’s', async () => {
  await fixture.stack.halt('s3')
  const starting = startTranscoder()
  await sleep(3000)
  await fixture.stack.resume('s3')
  await end(await starting, 'SIGKILL')
  const stranger = startTranscoder({ INSTALLATION_ID: '019a0000-0000-7000-8000-00000000bbbb' })
  await expect(stranger).rejects.toThrow(/belongs to .*INSTALLATION_ID says/)
}, 90_000)

test('Redis emptied in the middle of a batch loses no job and doubles none', async () => {
  const uploads = [
    await makeUpload(fixture, short),
    await makeUpload(fixture, short),
    await makeUpload(fixture, short),
  ]
  await startTranscoder()
  await untilStep(uploads[0]!, 'analyse')
  const redis = new Redis(fixture.stack.redisUrl)
  await redis.flushall()
  await redis.quit()
  for (const upload of uploads) {
    expect(await untilJob(fixture.db, upload.jobId)).toMatchObject({ status: 'completed' })
    expect(await publishedVersions(upload)).toHaveLength(1)
  }
}, 120_000)

test.each(['s3', 'postgres', 'redis'] as const)(
  'an outage of %s in mid-job fails nothing: the job is done when it is over',
  async (part) => {
    const transcoder = await startTranscoder()
    const upload = await makeUpload(fixture, demo('vibe-ace.ogg'))
    await untilStep(upload, 'analyse')
    await fixture.stack.halt(part)
    await sleep(OUTAGE_S * 1000)
    expect(transcoder.exitCode).toBeNull()
    await fixture.stack.resume(part)
    const job = await untilJob(fixture.db, upload.jobId, ['completed', 'failed'], 90_000)
    expect(job).toMatchObject({ status: 'completed', errorCode: null })
    expect(await publishedVersions(upload)).toHaveLength(1)
  },
  150_000 + OUTAGE_S * 1000,
)

test('a transcoder that is stopped hands its job back untouched and ends in time', async () => {
  const first = await startTranscoder({ SHUTDOWN_GRACE_S: '6' })
  const upload = await makeUpload(fixture, demo('dance-of-the-sugar-plum-fairy.ogg'))
  await untilStep(upload, 'encode')
  const startedAt = performance.now()
  await end(first, 'SIGTERM')
  expect(performance.now() - startedAt).toBeLessThan(6000)
  const [left] = await fixture.db.select().from(schema.jobs).where(eq(schema.jobs.id, upload.jobId))
  // A fast machine may have finished it in the grace period.
  expect(left).toMatchObject(
    left?.status === 'completed' ? { attempts: 1 } : { status: 'queued', attempts: 0 },
  )
  await startTranscoder()
  expect(await untilJob(fixture.db, upload.jobId)).toMatchObject({ status: 'completed' })
}, 120_000)

test('a poisoned job and rubbish in the outbox do not hold up the others', async () => {
  const poison = await makeUpload(fixture, Buffer.from('OggS and then nonsense'.repeat(99)))
  await fixture.db.insert(schema.outbox).values([
    { topic: 'transcode', payload: { nonsense: true } },
    {
      topic: 'transcode',
      payload: { v: 1, jobId: newId(JobId), trackId: newId(TrackId) },
    },
  ])
  const good = await makeUpload(fixture, short)
  await startTranscoder()
  expect(await untilJob(fixture.db, good.jobId)).toMatchObject({ status: 'completed' })
  expect(await untilJob(fixture.db, poison.jobId)).toMatchObject({ status: 'failed' })
  const left = await fixture.db
    .select()
    .from(schema.outbox)
    .where(sql`dispatched_at is null`)
  expect(left).toEqual([])
}, 90_000)

test('two transcoders share a batch and do no job twice', async () => {
  const uploads: TestUpload[] = []
  for (let i = 0; i < 4; i++) uploads.push(await makeUpload(fixture, short))
  await Promise.all([startTranscoder(), startTranscoder()])
  for (const upload of uploads) {
    const job = await untilJob(fixture.db, upload.jobId)
    expect(job).toMatchObject({ status: 'completed', attempts: 1, version: 1 })
  }
}, 90_000)

test('new audio for a track is a new version; the old one stays until no session uses it', async () => {
  const upload = await makeUpload(fixture, short, { metadata: { title: 'Kept' } })
  await fixture.processor().run(upload.jobId, CALM)
  const again = await makeUpload(fixture, demo('scheming-weasel.mp3'), {
    kind: 'replace',
    trackId: upload.trackId,
  })
  expect(await fixture.processor().run(again.jobId, CALM)).toMatchObject({ kind: 'completed' })
  const { db, s3 } = fixture
  const [track] = await db.select().from(schema.tracks).where(eq(schema.tracks.id, upload.trackId))
  expect(track).toMatchObject({ title: 'Kept', version: 2, uploadId: again.uploadId })
  const old = () => listKeys(s3, 'media', `tracks/${upload.trackId}/1/`)
  const sweep = makeTestSweep({ retiredVersionS: 0 })
  expect((await old()).length).toBeGreaterThan(0)
  await makeTestSweep().sweep()
  expect((await old()).length).toBeGreaterThan(0)
  await sweep.sweep()
  expect(await old()).toEqual([])

  await sweep.deleteTrack(upload.trackId)
  const by = { command: 'a test' }
  await sweep.hasten(upload.trackId, by)
  expect(await readAudit(db)).toContainEqual({
    ...by,
    action: 'track.purge',
    target: 'track',
    targetId: upload.trackId,
    details: {},
  })
  await sweep.sweep()
  expect(await listKeys(s3, 'media', `tracks/${upload.trackId}/`)).toEqual([])
  for (const { uploadId } of [upload, again]) {
    expect(await listKeys(s3, 'originals', `originals/${uploadId}`)).toEqual([])
  }
  const [stub] = await db.select().from(schema.tracks).where(eq(schema.tracks.id, upload.trackId))
  expect(stub).toMatchObject({ title: 'Kept', version: null, purgedAt: expect.any(Date) })
}, 60_000)

test('uploads that were never completed go with all that arrived of them, after a grace', async () => {
  const { db, s3 } = fixture
  const sweep = makeTestSweep()
  const upload = async (change: Partial<typeof schema.uploads.$inferInsert>, status: JobStatus) => {
    const made = await makeUpload(fixture, short, { withOutbox: false })
    await db
      .update(schema.uploads)
      .set({ completedAt: null, ...change })
      .where(eq(schema.uploads.id, made.uploadId))
    await db.update(schema.jobs).set({ status }).where(eq(schema.jobs.id, made.jobId))
    return made
  }
  const gone = [await upload({ expiresAt: hoursAgo(2) }, 'pending_upload')]
  const parts = await s3.send(
    new CreateMultipartUploadCommand({ Bucket: 'originals', Key: 'originals/in-parts' }),
  )
  gone.push(
    await upload(
      { expiresAt: hoursAgo(2), objectKey: 'originals/in-parts', multipartId: parts.UploadId! },
      'pending_upload',
    ),
  )
  const kept = [
    await upload({ expiresAt: hoursAgo(0.5) }, 'pending_upload'),
    await upload({ expiresAt: hoursAgo(2), completedAt: hoursAgo(2) }, 'failed'),
    await upload({ expiresAt: hoursAgo(2) }, 'queued'),
  ]

  expect(await sweep.sweep()).toMatchObject({ tombstones: 2, objects: 1, held: null })
  expect(await sweep.sweep()).toMatchObject({ tombstones: 0 })
  const row = ({ uploadId }: TestUpload) =>
    db.select().from(schema.uploads).where(eq(schema.uploads.id, uploadId))
  for (const each of gone) {
    expect(await row(each)).toEqual([])
    expect(await db.select().from(schema.jobs).where(eq(schema.jobs.id, each.jobId))).toEqual([])
  }
  expect(await listKeys(s3, 'originals', `originals/${gone[0]!.uploadId}`)).toEqual([])
  for (const each of kept) {
    expect(await row(each)).toHaveLength(1)
    expect(await listKeys(s3, 'originals', `originals/${each.uploadId}`)).toHaveLength(1)
    await db.update(schema.jobs).set({ status: 'failed' }).where(eq(schema.jobs.id, each.jobId))
  }
  // The upload in parts is over too: it takes none any more.
  const part = new UploadPartCommand({
    Bucket: 'originals',
    Key: 'originals/in-parts',
    UploadId: parts.UploadId!,
    PartNumber: 1,
    Body: Buffer.alloc(1),
  })
  await expect(s3.send(part)).rejects.toThrow(/upload/i)
}, 60_000)

test('tracks with an embedding of older constants are embedded again, without new media', async () => {
  const { db, s3 } = fixture
  const upload = await makeUpload(fixture, short)
  await fixture.processor().run(upload.jobId, CALM)
  const embedding = () =>
    db
      .select()
      .from(schema.trackEmbeddings)
      .where(eq(schema.trackEmbeddings.trackId, upload.trackId))
  const [fresh] = await embedding()
  await db
    .update(schema.trackEmbeddings)
    .set({ embeddingVersion: -1, embedding: Array.from({ length: 40 }, () => 0.5) })
    .where(eq(schema.trackEmbeddings.trackId, upload.trackId))
  const keys = await listKeys(s3, 'media', `tracks/${upload.trackId}/`)

  const remakes = makeRemakes(db)
  expect(await remakes.start('reembed', BY)).toBe(true)
  expect(await remakes.feed()).toBe(1)
  expect(await remakes.feed()).toBe(0)
  const [job] = await db
    .select()
    .from(schema.jobs)
    .where(sql`kind = 'reembed' and track_id = ${upload.trackId}`)
  expect(await fixture.processor().run(job!.id, CALM)).toMatchObject({ kind: 'completed' })
  expect(await embedding()).toEqual([fresh])
  expect(await listKeys(s3, 'media', `tracks/${upload.trackId}/`)).toEqual(keys)
  const versions = await db
    .select()
    .from(schema.trackVersions)
    .where(eq(schema.trackVersions.trackId, upload.trackId))
  expect(versions).toMatchObject([{ version: 1, status: 'published' }])
}, 60_000)

test('a full work folder fails the job with that reason and it is tried again later', async () => {
  const upload = await makeUpload(fixture, short)
  // A device on which every write says ENOSPC stands for the full disk.
  const objects = {
    ...fixture.objects,
    downloadOriginal: () => writeFile('/dev/full', 'x').then(() => 1),
  }
  const full = fixture.processor({}, { objects })
  expect(await full.run(upload.jobId, CALM)).toMatchObject({ kind: 'wait', afterMs: 300_000 })
  const row = async () =>
    (await fixture.db.select().from(schema.jobs).where(eq(schema.jobs.id, upload.jobId)))[0]
  expect(await row()).toMatchObject({ status: 'failed', errorCode: 'disk-full' })
  expect(await fixture.processor().run(upload.jobId, CALM)).toMatchObject({ kind: 'completed' })
  expect(await row()).toMatchObject({ status: 'completed', errorCode: null })
}, 60_000)

test('metrics, health and the dashboard are served, the last behind its password', async () => {
  const password = 'a long dashboard password'
  const transcoder = await startTranscoder({ DASHBOARD_PASSWORD: password })
  expect(transcoder.exitCode).toBeNull()
  const port = [...printed.matchAll(/"metricsPort":(\d+)/g)].at(-1)?.[1]
  const base = `http://127.0.0.1:${port}`
  const upload = await makeUpload(fixture, short)
  await untilJob(fixture.db, upload.jobId)
  await sleep(500)
  const metrics = await (await fetch(`${base}/metrics`)).text()
  expect(metrics).toContain('mist_jobs_total{outcome="completed",code=""} 1')
  expect(metrics).toContain('mist_job_step_seconds_count{step="encode"} 1')
  expect(metrics).toMatch(/mist_queue_depth \d/)
  expect(metrics).toContain('mist_job_real_time_factor_count 1')
  expect((await fetch(`${base}/healthz`)).status).toBe(200)
  expect((await fetch(`${base}/queues`)).status).toBe(401)
  expect((await fetch(`${base}/queues/api/queues`)).status).toBe(401)
  const authorization = `Basic ${btoa(`admin:${password}`)}`
  const page = await fetch(`${base}/queues`, { headers: { authorization } })
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('<html')
}, 60_000)

test('no key, secret or password was printed by any of them', async () => {
  expect(printed).toContain('job completed')
  const { env } = fixture.stack
  for (const secret of [env.CONTENT_KEY_SECRET.split(':')[1]!, env.S3_SECRET_ACCESS_KEY]) {
    expect(printed).not.toContain(secret)
  }
  for (const { wrapped } of await fixture.db.select().from(schema.trackKeys)) {
    expect(printed).not.toContain(Buffer.from(wrapped).toString('hex'))
    expect(printed).not.toContain(Buffer.from(wrapped).toString('base64'))
  }
})

/** The sweep of the fixture's installation, whose buckets may be claimed by it alone. */
function makeTestSweep(changes: Partial<typeof KEPT_AN_HOUR> = {}) {
  const { db, objects, env } = fixture
  const ownership = makeOwnership({ db, objects, ...ownershipOptions(env) })
  return makeSweep({
    db,
    objects,
    ownership,
    log: makeLog('silent'),
    ...KEPT_AN_HOUR,
    ...changes,
  })
}

const KEPT_AN_HOUR = { retiredVersionS: 3600, abandonedUploadS: 3600 }

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)

type JobStatus = (typeof schema.jobs.$inferSelect)['status']

const CALM = { signal: new AbortController().signal, isLastAttempt: false }
