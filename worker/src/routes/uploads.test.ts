import { AwsV4Signer } from 'aws4fetch'
import { beforeAll, expect, test } from 'vitest'
import { makeTrack } from '@mist/db/testing/factories'
import type { Job } from '../contract/jobs.ts'
import type { Page } from '../contract/pages.ts'
import type { UploadTicket } from '../contract/uploads.ts'
import { makeTestApi, problemCode } from '../testing/api.ts'

// Multipart with the smallest parts that S3 takes, so that few bytes will do.
const PART = 5 * 1024 ** 2
const api = makeTestApi({ SINGLE_PART_LIMIT_BYTES: '1000', PART_SIZE_BYTES: String(PART) })

let admin: Awaited<ReturnType<typeof api.signIn>>
beforeAll(async () => {
  admin = await api.signIn({ role: 'admin' })
})

const file = { filename: 'A song.mp3', sizeBytes: 6, contentType: 'audio/mpeg' }
const sound = 'sounds'

const announce = (body: unknown = file) =>
  api.call('POST', 'uploads', { body, bearer: admin.token })

async function announced(body: unknown = file): Promise<UploadTicket> {
  const response = await announce(body)
  expect(response.status).toBe(201)
  return response.json()
}

async function send(ticket: UploadTicket, body: BodyInit = sound): Promise<number> {
  if (ticket.method !== 'PUT') throw new Error('not a single PUT')
  const response = await fetch(ticket.url, { method: 'PUT', headers: ticket.headers, body })
  await response.text()
  return response.status
}

const complete = (uploadId: string, body: unknown = {}) =>
  api.call('POST', `uploads/${uploadId}/complete`, { body, bearer: admin.token })

async function putPart(part: { url: string; sizeBytes: number }, bytes = part.sizeBytes) {
  const response = await fetch(part.url, { method: 'PUT', body: new Uint8Array(bytes) })
  await response.text()
  return response
}

const etagOf = async (part: { url: string; sizeBytes: number }) =>
  (await putPart(part)).headers.get('etag') ?? ''

/** What the store has under a key of the originals bucket. */
async function originalAt(key: string): Promise<Response> {
  const { S3_ENDPOINT, S3_ORIGINALS_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = api.config
  const signed = await new AwsV4Signer({
    url: `${S3_ENDPOINT}/${S3_ORIGINALS_BUCKET}/${key}`,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
    service: 's3',
    region: 'auto',
  }).sign()
  return fetch(signed.url, { headers: signed.headers })
}

const outboxOf = (jobId: string) =>
  api.db.$client`select topic, payload from outbox where payload->>'jobId' = ${jobId}`

test('a small file goes up in one PUT; completing it makes a track and queues one job', async () => {
  const ticket = await announced({ ...file, metadata: { title: 'Named', year: 1999 } })
  expect(ticket).toMatchObject({
    method: 'PUT',
    headers: { 'content-type': 'audio/mpeg', 'if-none-match': '*' },
  })
  const bearer = admin.token
  const before = await api.call('GET', `jobs/${ticket.jobId}`, { bearer })
  expect(await before.json()).toMatchObject({ status: 'pending_upload', progress: 0, error: null })

  expect(await send(ticket)).toBe(200)
  const completed = await complete(ticket.uploadId)
  expect(completed.status).toBe(202)
  expect(await completed.json()).toEqual({ jobId: ticket.jobId, status: 'queued' })

  const job = await (await api.call('GET', `jobs/${ticket.jobId}`, { bearer })).json<Job>()
  expect(job).toMatchObject({
    status: 'queued',
    kind: 'ingest',
    filename: 'A song.mp3',
    step: null,
  })
  const [track] = await api.db.$client`select * from tracks where id = ${job.trackId}`
  expect(track).toMatchObject({ title: 'Named', year: 1999, published_at: null, version: null })
  expect(await outboxOf(ticket.jobId)).toEqual([
    { topic: 'transcode', payload: { v: 1, jobId: ticket.jobId, trackId: job.trackId } },
  ])
})

test('ten completions at once give one answer, one track and one job', async () => {
  const ticket = await announced()
  await send(ticket)
  const answers = await Promise.all(Array.from({ length: 10 }, () => complete(ticket.uploadId)))
  for (const answer of answers)
    expect([answer.status, await answer.json()]).toEqual([
      202,
      { jobId: ticket.jobId, status: 'queued' },
    ])
  expect(await outboxOf(ticket.jobId)).toHaveLength(1)
  expect((await complete(ticket.uploadId)).status).toBe(202)
})

test('completing before the bytes are there, or with no such upload, is refused', async () => {
  const ticket = await announced()
  const early = await complete(ticket.uploadId)
  expect([early.status, await problemCode(early)]).toEqual([409, 'upload-incomplete'])
  expect(await outboxOf(ticket.jobId)).toEqual([])
  expect((await complete(crypto.randomUUID())).status).toBe(404)
  expect((await complete('nonsense')).status).toBe(404)
})

test('the URL takes exactly the announced size and type, at the announced key', async () => {
  const ticket = await announced()
  if (ticket.method !== 'PUT') throw new Error('not a single PUT')
  expect(await send(ticket, 'longer than six')).toBe(403)
  expect(await send(ticket, 'five!')).toBe(403)
  expect(
    await send({ ...ticket, headers: { ...ticket.headers, 'content-type': 'text/html' } }),
  ).toBe(403)
  // Without the condition the signature does not hold.
  expect(await send({ ...ticket, headers: { 'content-type': 'audio/mpeg' } })).toBe(403)
  const elsewhere = ticket.url.replace(ticket.uploadId, crypto.randomUUID())
  expect(await send({ ...ticket, url: elsewhere })).toBe(403)
  expect(await send(ticket)).toBe(200)
})

test('the URL writes once: not over what is there, before completion, after it, or once published', async () => {
  const ticket = await announced()
  expect(await send(ticket)).toBe(200)
  expect(await send(ticket, 'SOUNDS')).toBe(412)
  expect((await complete(ticket.uploadId)).status).toBe(202)
  expect(await send(ticket, 'SOUNDS')).toBe(412)
  await api.db.$client`update jobs set status = 'completed' where id = ${ticket.jobId}`
  await api.db
    .$client`update tracks set published_at = now(), version = 1 where upload_id = ${ticket.uploadId}`
  expect(await send(ticket, 'SOUNDS')).toBe(412)
  const stored = await originalAt(`originals/${ticket.uploadId}`)
  expect(await stored.text()).toBe(sound)
  expect(await api.db.$client`select etag from uploads where id = ${ticket.uploadId}`).toEqual([
    { etag: stored.headers.get('etag') },
  ])
})

test('fresh URLs of an upload whose bytes are there do not write either', async () => {
  const ticket = await announced()
  await send(ticket)
  const bearer = admin.token
  const again = await api.call('GET', `uploads/${ticket.uploadId}`, { bearer })
  expect(await send(await again.json(), 'SOUNDS')).toBe(412)
  expect((await complete(ticket.uploadId)).status).toBe(202)
})

test('an expired URL is refused by the store, and asking again gives one that works', async () => {
  api.setNow(null)
  const ticket = await announced()
  if (ticket.method !== 'PUT') throw new Error('not a single PUT')
  const lived = Date.parse(ticket.expiresAt) - Date.now()
  expect(lived).toBeGreaterThan(3500_000)
  const stale = ticket.url.replace(/X-Amz-Date=\d+T/, 'X-Amz-Date=20200101T')
  expect(await send({ ...ticket, url: stale })).toBeGreaterThanOrEqual(400)
  const again = await api.call('GET', `uploads/${ticket.uploadId}`, { bearer: admin.token })
  expect(again.status).toBe(200)
  expect(await send(await again.json())).toBe(200)
})

test('a large file goes up in parts, and is picked up where it stopped', async () => {
  const sizeBytes = PART + 10
  const ticket = await announced({ ...file, filename: 'long.flac', sizeBytes })
  if (ticket.method !== 'MULTIPART') throw new Error('not in parts')
  expect(ticket.partSizeBytes).toBe(PART)
  expect(ticket.parts.map((part) => part.sizeBytes)).toEqual([PART, 10])

  const [first, second] = ticket.parts
  if (!first || !second) throw new Error('two parts')
  expect((await putPart(first)).status).toBe(200)
  expect((await putPart(second, 11)).status).toBe(403)

  const early = await complete(ticket.uploadId)
  expect([early.status, await problemCode(early)]).toEqual([409, 'upload-incomplete'])
})

test('a resumed upload names the parts that are stored; completing joins them', async () => {
  const ticket = await announced({ ...file, sizeBytes: PART + 10 })
  if (ticket.method !== 'MULTIPART') throw new Error('not in parts')
  const etag = await etagOf(ticket.parts[0]!)
  const bearer = admin.token
  const resumed = await (
    await api.call('GET', `uploads/${ticket.uploadId}`, { bearer })
  ).json<UploadTicket>()
  if (resumed.method !== 'MULTIPART') throw new Error('not in parts')
  expect(resumed.parts.map((part) => part.etag)).toEqual([etag, undefined])
  const last = await etagOf(resumed.parts[1]!)
  const parts = [
    { partNumber: 2, etag: last },
    { partNumber: 1, etag },
  ]
  const answers = await Promise.all([
    complete(ticket.uploadId, { parts }),
    complete(ticket.uploadId, { parts }),
    complete(ticket.uploadId),
  ])
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202])
  expect(await outboxOf(ticket.jobId)).toHaveLength(1)
  const over = await api.call('GET', `uploads/${ticket.uploadId}`, { bearer })
  expect(over.status).toBe(409)

  // The URLs of the parts live on for a while, and change nothing any more.
  const original = () => originalAt(`originals/${ticket.uploadId}`)
  const before = (await original()).headers.get('etag')
  for (const part of ticket.parts) expect((await putPart(part)).status).toBe(404)
  expect((await original()).headers.get('etag')).toBe(before)
})

test.each([
  ['an empty file', { sizeBytes: 0 }, 422, 'validation-failed'],
  ['a negative size', { sizeBytes: -1 }, 422, 'validation-failed'],
  ['a file of 3 GB', { sizeBytes: 3e9 }, 413, 'upload-too-large'],
  ['a picture', { filename: 'a.jpg', contentType: 'image/jpeg' }, 415, 'unsupported-type'],
  ['no name', { filename: ' ' }, 422, 'validation-failed'],
  ['a name that cannot be seen', { filename: '\0\u202e\u200d' }, 422, 'validation-failed'],
  ['half a character', { metadata: { title: '\uD83C' } }, 422, 'validation-failed'],
])('%s is refused', async (_what, wrong, status, code) => {
  const response = await announce({ ...file, ...wrong })
  expect([response.status, await problemCode(response)]).toEqual([status, code])
})

test.each([
  ['song.flac', '', 'audio/flac'],
  ['song.OPUS', 'application/octet-stream', 'application/octet-stream'],
  ['song', 'audio/x-wav; rate=44100', 'audio/x-wav'],
])('%s declared as "%s" is stored as %s', async (filename, contentType, stored) => {
  const ticket = await announced({ ...file, filename, contentType })
  expect(ticket).toMatchObject({ headers: { 'content-type': stored } })
})

test('only admins upload, by what the database says now', async () => {
  const anonymous = await api.call('POST', 'uploads', { body: file })
  expect([anonymous.status, await problemCode(anonymous)]).toEqual([401, 'signed-out'])
  const user = await api.signIn()
  const refused = await api.call('POST', 'uploads', { body: file, bearer: user.token })
  expect([refused.status, await problemCode(refused)]).toEqual([403, 'forbidden'])
  const former = await api.signIn({ role: 'admin' })
  await api.db.$client`update users set role = 'user' where id = ${former.userId}`
  const demoted = await api.call('POST', 'uploads', { body: file, bearer: former.token })
  expect(demoted.status).toBe(403)
  for (const path of ['jobs', `jobs/${crypto.randomUUID()}`])
    expect((await api.call('GET', path, { bearer: user.token })).status).toBe(403)
})

test('an upload that never comes fails its job, and its late completion is refused', async () => {
  const ticket = await announced()
  await send(ticket)
  api.advance(3601)
  expect(await api.deps.uploads.expire(100)).toBeGreaterThan(0)
  api.setNow(null)
  const job = await api.call('GET', `jobs/${ticket.jobId}`, { bearer: admin.token })
  expect(await job.json()).toMatchObject({
    status: 'failed',
    error: { code: 'upload-expired', detail: expect.stringContaining('Upload it again') },
  })
  expect((await complete(ticket.uploadId)).status).toBe(409)
  const retry = await api.call('POST', `jobs/${ticket.jobId}/retry`, { bearer: admin.token })
  expect([retry.status, await problemCode(retry)]).toEqual([409, 'job-not-retryable'])
  // The Worker deletes nothing: it does not know whose the bucket is. The sweep does, and finds a note.
  const key = `originals/${ticket.uploadId}`
  expect(await api.deps.uploads.expire(100)).toBe(0)
  expect(
    await api.db
      .$client`select bucket, key, reason from tombstones where upload_id = ${ticket.uploadId}`,
  ).toEqual([{ bucket: 'originals', key, reason: 'upload-abandoned' }])
  expect((await originalAt(key)).status).toBe(200)
})

test('an upload that is given up and completed in the same moment is one or the other', async () => {
  for (let round = 0; round < 5; round++) {
    const ticket = await announced()
    await send(ticket)
    await api.db.$client`update uploads set expires_at = now() where id = ${ticket.uploadId}`
    const [completed] = await Promise.all([complete(ticket.uploadId), api.deps.uploads.expire(100)])
    const buried = await api.db.$client`
      select key from tombstones where upload_id = ${ticket.uploadId}`
    expect([completed.status, buried.length]).toEqual(
      completed.status === 202 ? [202, 0] : [409, 1],
    )
  }
})

test('a failed job is tried again while its original is there, and only then', async () => {
  const ticket = await announced()
  await send(ticket)
  await complete(ticket.uploadId)
  const retry = () => api.call('POST', `jobs/${ticket.jobId}/retry`, { bearer: admin.token })
  expect((await retry()).status).toBe(409)
  const fail = () => api.db.$client`
    update jobs set status = 'failed', error_code = 'gave-up', error_detail = 'x', progress = 0.5,
           step = 'encode', completed_at = now() where id = ${ticket.jobId}`
  await fail()
  const retried = await retry()
  expect(retried.status).toBe(202)
  expect(await retried.json()).toMatchObject({
    status: 'queued',
    step: null,
    progress: 0,
    error: null,
    completedAt: null,
  })
  expect(await outboxOf(ticket.jobId)).toHaveLength(2)
  await fail()
  const answers = await Promise.all([retry(), retry(), retry()])
  expect(answers.map((answer) => answer.status)).toEqual(expect.arrayContaining([202, 409, 409]))
})

test('jobs are listed page by page, the newest first, each once', async () => {
  const tickets = []
  for (let made = 0; made < 5; made++) tickets.push(await announced())
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null && seen.length < 5) {
    const query = `limit=2${cursor && `&cursor=${cursor}`}`
    const response = await api.call('GET', `jobs?${query}`, { bearer: admin.token })
    const page: Page<Job> = await response.json()
    seen.push(...page.items.map((job) => job.id))
    cursor = page.nextCursor
  }
  expect(seen.slice(0, 5)).toEqual(tickets.map((ticket) => ticket.jobId).toReversed())
  const wrong = await api.call('GET', 'jobs?cursor=nonsense', { bearer: admin.token })
  expect([wrong.status, await problemCode(wrong)]).toEqual([422, 'validation-failed'])
  const completed = await api.call('GET', 'jobs?status=completed', { bearer: admin.token })
  expect((await completed.json<Page<Job>>()).items.every((j) => j.status === 'completed')).toBe(
    true,
  )
})

test("replacing a track's audio makes a job for the same track", async () => {
  const { trackId } = await makeTrack(api.db)
  const replace = (id: string) =>
    api.call('POST', `tracks/${id}/replace`, { body: file, bearer: admin.token })
  const ticket = await (await replace(trackId)).json<UploadTicket>()
  await send(ticket)
  expect((await complete(ticket.uploadId)).status).toBe(202)
  const job = await api.call('GET', `jobs/${ticket.jobId}`, { bearer: admin.token })
  expect(await job.json()).toMatchObject({ kind: 'replace', trackId, status: 'queued' })
  expect((await replace(crypto.randomUUID())).status).toBe(404)
})

test('an unavailable store is a 503 that says when to try again', async () => {
  const lost = makeTestApi({ S3_ENDPOINT: 'http://127.0.0.1:9', SINGLE_PART_LIMIT_BYTES: '1' })
  const bearer = admin.token
  const response = await lost.call('POST', 'uploads', { body: file, bearer })
  expect([response.status, await problemCode(response)]).toEqual([503, 'unavailable'])
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
})
