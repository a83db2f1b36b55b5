import { AwsV4Signer } from 'aws4fetch'
import { makeTrack } from '@mist/db/testing/factories'
import { expect, test } from 'vitest'
import { makeTestApi, problemCode } from '../testing/api.ts'

const api = makeTestApi()
const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = api.config

async function put(key: string, body: string): Promise<void> {
  const signed = await new AwsV4Signer({
    method: 'PUT',
    url: `${S3_ENDPOINT}/${S3_BUCKET}/${key}`,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
    service: 's3',
    region: 'auto',
  }).sign()
  const response = await fetch(signed.url, { method: 'PUT', headers: signed.headers, body })
  expect(response.status).toBe(200)
}

async function segment(): Promise<string> {
  const key = `tracks/${crypto.randomUUID()}/1/64k/0.m4s`
  await put(key, '0123456789')
  return key
}

const get = (key: string, headers: Record<string, string> = {}, method = 'GET') =>
  api.call(method, `media/${key}`, { headers })

test('a segment is served whole, to every page, and may be kept for ever', async () => {
  const key = await segment()
  for (let time = 0; time < 2; time++) {
    const response = await get(key, { origin: 'https://anywhere.example' })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('0123456789')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-type')).toBe('video/iso.segment')
    expect(response.headers.get('etag')).toMatch(/^"/)
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
  }
})

test('a range is cut out, the first time and from the cache', async () => {
  const key = await segment()
  for (let time = 0; time < 2; time++) {
    const response = await get(key, { range: 'bytes=2-4' })
    expect([response.status, await response.text()]).toEqual([206, '234'])
    expect(response.headers.get('content-range')).toBe('bytes 2-4/10')
  }
  const whole = await get(key)
  expect([whole.status, await whole.text()]).toEqual([200, '0123456789'])
})

test('what is cached is served though the store has lost it', async () => {
  const key = await segment()
  await (await get(key)).text()
  await api.deps.media.fetch(key)
  const again = await get(`${key}?nonce=1`)
  expect(await again.text()).toBe('0123456789')
})

test('the identifier in an address may come in capitals', async () => {
  const key = await segment()
  const id = key.split('/')[1] ?? ''
  const response = await get(key.replace(id, id.toUpperCase()))
  expect([response.status, await response.text()]).toEqual([200, '0123456789'])
})

test('HEAD answers with headers alone', async () => {
  const response = await get(await segment(), {}, 'HEAD')
  expect([response.status, await response.text()]).toEqual([200, ''])
  expect(response.headers.get('etag')).toMatch(/^"/)
})

test.each([
  'originals/0198c9a0-0000-7000-8000-000000000000',
  'tracks/../originals/x',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/../../../secret',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/key.bin',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/0.m4s/',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/0.m4s%00',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/0.m4s',
  '',
])('nothing is served at media/%s', async (key) => {
  await put('originals/0198c9a0-0000-7000-8000-000000000000', 'a master')
  const response = await get(key)
  expect([response.status, await problemCode(response)]).toEqual([404, 'not-found'])
})

test('the store away is a 503', async () => {
  const lost = makeTestApi({ S3_ENDPOINT: 'http://127.0.0.1:9' })
  const { trackId } = await makeTrack(api.db)
  const response = await lost.call('GET', `media/tracks/${trackId}/1/64k/5.m4s`)
  expect([response.status, await problemCode(response)]).toEqual([503, 'unavailable'])
})
