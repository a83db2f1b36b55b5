import { AwsClient } from 'aws4fetch'
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLocalR2 } from './local-r2.ts'
import { startS3Gateway } from './s3-gateway.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-r2-'))
const accessKeyId = randomBytes(10).toString('hex')
const secretAccessKey = randomBytes(20).toString('hex')
const signer = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'auto' })
const allowedOrigins = ['http://localhost:8787']
let r2: Awaited<ReturnType<typeof startLocalR2>>

beforeAll(async () => {
  const buckets = ['media', 'originals']
  r2 = await startLocalR2({ dir, port: 0, buckets, accessKeyId, secretAccessKey, allowedOrigins })
}, 30_000)

afterAll(async () => {
  await r2?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function presign(method: string, key: string, headers: Record<string, string> = {}) {
  const url = new URL(`${r2.endpoint}/media/${key}`)
  url.searchParams.set('X-Amz-Expires', '60')
  const signed = await signer.sign(url.href, {
    method,
    headers,
    aws: { signQuery: true, allHeaders: true },
  })
  return signed.url
}

test('a page of the web app may PUT to a presigned URL and read the answer', async () => {
  const url = await presign('PUT', 'a/b.bin', { 'content-type': 'audio/mpeg' })
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:8787',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type')
  const put = await fetch(url, {
    method: 'PUT',
    body: 'hello',
    headers: { 'content-type': 'audio/mpeg', origin: 'http://localhost:8787' },
  })
  expect(put.status).toBe(200)
  expect(put.headers.get('access-control-allow-origin')).toBe('http://localhost:8787')
  expect(put.headers.get('access-control-expose-headers')).toContain('ETag')
  const got = await fetch(await presign('GET', 'a/b.bin'))
  expect(await got.text()).toBe('hello')
})

test('another type than the signed one, or another key, is refused', async () => {
  const url = await presign('PUT', 'typed.bin', { 'content-type': 'audio/mpeg' })
  const other = await fetch(url, {
    method: 'PUT',
    body: 'x',
    headers: { 'content-type': 'text/html' },
  })
  expect(other.status).toBe(403)
  expect((await fetch(`${r2.endpoint}/media/typed.bin`)).status).toBeGreaterThanOrEqual(400)
})

test('a hundred megabytes pass whole, both ways', async () => {
  const block = randomBytes(1024 * 1024)
  const body = Buffer.concat(Array.from({ length: 100 }, () => block))
  const put = await fetch(await presign('PUT', 'large.bin'), { method: 'PUT', body })
  expect(put.status).toBe(200)
  const got = await fetch(await presign('GET', 'large.bin'))
  const hash = createHash('sha256')
  for await (const chunk of got.body ?? []) hash.update(chunk)
  expect(hash.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'))
}, 60_000)

test('what was stored is there after a restart', async () => {
  expect((await fetch(await presign('PUT', 'kept.bin'), { method: 'PUT', body: 'x' })).ok).toBe(
    true,
  )
  await r2.stop()
  const buckets = ['media', 'originals']
  r2 = await startLocalR2({ dir, port: 0, buckets, accessKeyId, secretAccessKey, allowedOrigins })
  expect(await (await fetch(await presign('GET', 'kept.bin'))).text()).toBe('x')
})

/** Sends over one connection that is kept, as a browser does; answers status and milliseconds. */
function sendOn(agent: Agent, method: string, url: string, type: string, body: Buffer) {
  const startedAt = performance.now()
  return new Promise<{ status: number; body: string; ms: number }>((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': body.length }
    const asked = request(url, { agent, method, headers }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.once('end', () => {
        const ms = performance.now() - startedAt
        resolve({ status: answer.statusCode ?? 0, body: text, ms })
      })
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

test.for([10, 100_000, 20_000_000])(
  'a refused upload of %i bytes is a 403 that says why, and the next request is answered at once',
  { timeout: 60_000 },
  async (size) => {
    const body = Buffer.alloc(size, 1)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const type = 'audio/mpeg'
    const longer = { 'content-type': type, 'content-length': String(size + 1) }
    const refused = {
      length: await presign('PUT', 'no.bin', longer),
      type: await presign('PUT', 'no.bin', { 'content-type': 'audio/ogg' }),
      signature: (await presign('PUT', 'no.bin', { 'content-type': type })).slice(0, -1),
    }
    for (const [what, url] of Object.entries(refused)) {
      const { status, body: text } = await sendOn(agent, 'PUT', url, type, body)
      expect({ what, status }).toEqual({ what, status: 403 })
      expect(text).toContain('<Code>')
      const next = await presign('PUT', 'yes.bin', { 'content-type': type })
      const after = await sendOn(agent, 'PUT', next, type, Buffer.from('hello'))
      expect({ what, status: after.status, isQuick: after.ms < 10_000 }).toEqual({
        what,
        status: 200,
        isQuick: true,
      })
    }
    agent.destroy()
    expect((await fetch(await presign('GET', 'no.bin'))).status).toBe(404)
  },
)

test('a store that is gone is a 503, and the next request on the connection is answered, too', async () => {
  const gateway = await startS3Gateway({
    upstreamPort: 9,
    path: '/s3',
    port: 0,
    allowedOrigins: [],
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const url = `http://127.0.0.1:${gateway.port}/s3/media/a.bin`
  for (const method of ['PUT', 'GET', 'PUT']) {
    const { status, ms } = await sendOn(agent, method, url, 'audio/mpeg', Buffer.alloc(20_000_000))
    expect({ status, isQuick: ms < 10_000 }).toEqual({ status: 503, isQuick: true })
  }
  agent.destroy()
  await gateway.stop()
})
