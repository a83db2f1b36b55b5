import { AwsClient } from 'aws4fetch'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLocalR2 } from './local-r2.ts'

const dir = mkdtempSync(join(tmpdir(), 'mist-r2-'))
const accessKeyId = randomBytes(10).toString('hex')
const secretAccessKey = randomBytes(20).toString('hex')
const signer = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'auto' })
let r2: Awaited<ReturnType<typeof startLocalR2>>

beforeAll(async () => {
  const buckets = ['media', 'originals']
  r2 = await startLocalR2({ dir, port: 0, buckets, accessKeyId, secretAccessKey })
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

test('a page of another origin may PUT to a presigned URL and read the answer', async () => {
  const url = await presign('PUT', 'a/b.bin', { 'content-type': 'audio/mpeg' })
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://elsewhere.example',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type')
  const put = await fetch(url, {
    method: 'PUT',
    body: 'hello',
    headers: { 'content-type': 'audio/mpeg', origin: 'http://elsewhere.example' },
  })
  expect(put.status).toBe(200)
  expect(put.headers.get('access-control-allow-origin')).toBe('*')
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
  r2 = await startLocalR2({ dir, port: 0, buckets, accessKeyId, secretAccessKey })
  expect(await (await fetch(await presign('GET', 'kept.bin'))).text()).toBe('x')
})
