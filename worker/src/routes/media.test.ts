import { AwsV4Signer } from 'aws4fetch'
import { makeTrack } from '@mist/db/testing/factories'
import { expect, test, vi } from 'vitest'
import { makeTestApi, problemCode } from '../testing/api.ts'

const api = makeTestApi()
const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = api.config

async function store(method: 'PUT' | 'DELETE', key: string, body?: string): Promise<void> {
  const signed = await new AwsV4Signer({
    method,
    url: `${S3_ENDPOINT}/${S3_BUCKET}/${key}`,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
    service: 's3',
    region: 'auto',
  }).sign()
  const response = await fetch(signed.url, {
    method,
    headers: signed.headers,
    ...(body !== undefined && { body }),
  })
  expect(response.ok).toBe(true)
}
const put = (key: string, body: string) => store('PUT', key, body)

/** A published track with a segment, an init segment and a cover in the bucket. */
async function published() {
  const { trackId } = await makeTrack(api.db)
  await api.db.$client`update tracks set cover_version = 1 where id = ${trackId}`
  const prefix = `tracks/${trackId}/1`
  const keys = [`${prefix}/64k/0.m4s`, `${prefix}/64k/init.mp4`, `${prefix}/cover-320.webp`]
  for (const key of keys) await put(key, '0123456789')
  const [segment = '', init = '', cover = ''] = keys
  return { trackId, prefix, segment, init, cover, keys }
}

/** A body as text, whatever it says it is. */
const textOf = async (response: Response) =>
  new TextDecoder().decode(new Uint8Array(await response.arrayBuffer()))

const get = (key: string, headers: Record<string, string> = {}, method = 'GET') =>
  api.call(method, `media/${key}`, { headers })

test('a segment is served whole, to every page, and may be kept for ever', async () => {
  const { segment } = await published()
  for (let time = 0; time < 2; time++) {
    const response = await get(segment, { origin: 'https://anywhere.example' })
    expect(response.status).toBe(200)
    expect(await textOf(response)).toBe('0123456789')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-type')).toBe('video/iso.segment')
    expect(response.headers.get('etag')).toMatch(/^"/)
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    expect(response.headers.get('accept-ranges')).toBe('bytes')
  }
})

test('a cover may be cached for an hour only, since it is not encrypted', async () => {
  const { cover } = await published()
  for (let time = 0; time < 2; time++)
    expect((await get(cover)).headers.get('cache-control')).toBe('public, max-age=3600')
})

test('what is cached is served though the store has lost it, under any query and spelling', async () => {
  const { segment, trackId } = await published()
  await textOf(await get(segment))
  await store('DELETE', segment)
  const spellings = [
    `${segment}?nonce=1`,
    segment.replace(trackId, trackId.toUpperCase()),
    segment.replace('tracks', '%74racks').replaceAll('-', '%2D'),
  ]
  for (const spelling of spellings) {
    const again = await get(spelling)
    expect([spelling, again.status, await textOf(again)]).toEqual([spelling, 200, '0123456789'])
  }
})

const WHOLE = [200, '0123456789', null] as const
const PAST = 'Tue, 01 Jan 2019 00:00:00 GMT'
const FUTURE = 'Fri, 01 Jan 2100 00:00:00 GMT'
const ETAG = '"781e5e245d69b566979b86e28d23f2c7"' // MD5 of 0123456789

/** [method, headers, status, body, content-range]; RFC 9110 §13 and §14. */
const ANSWERS: [string, Record<string, string>, number, string, string | null][] = [
  ['GET', {}, ...WHOLE],
  ['GET', { range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
  ['GET', { range: 'BYTES=2-4' }, 206, '234', 'bytes 2-4/10'],
  ['GET', { range: 'bytes=0-' }, 206, '0123456789', 'bytes 0-9/10'],
  ['GET', { range: 'bytes=7-' }, 206, '789', 'bytes 7-9/10'],
  ['GET', { range: 'bytes=7-999' }, 206, '789', 'bytes 7-9/10'],
  ['GET', { range: 'bytes=9-99999999999999999999999' }, 206, '9', 'bytes 9-9/10'],
  ['GET', { range: 'bytes=-3' }, 206, '789', 'bytes 7-9/10'],
  ['GET', { range: 'bytes=-99' }, 206, '0123456789', 'bytes 0-9/10'],
  ['GET', { range: 'bytes=, 2-4 ,' }, 206, '234', 'bytes 2-4/10'],
  ['GET', { range: 'bytes=10-' }, 416, '', 'bytes */10'],
  ['GET', { range: 'bytes=99-100' }, 416, '', 'bytes */10'],
  ['GET', { range: 'bytes=-0' }, 416, '', 'bytes */10'],
  // An unknown unit, bad syntax and several ranges are ignored.
  ['GET', { range: 'seconds=1-2' }, ...WHOLE],
  ['GET', { range: 'items=0-5' }, ...WHOLE],
  ['GET', { range: 'bytes=5-2' }, ...WHOLE],
  ['GET', { range: 'bytes=a-b' }, ...WHOLE],
  ['GET', { range: 'bytes=-' }, ...WHOLE],
  ['GET', { range: 'bytes=' }, ...WHOLE],
  ['GET', { range: 'bytes' }, ...WHOLE],
  ['GET', { range: 'bytes=0x1-2' }, ...WHOLE],
  ['GET', { range: 'bytes 0-1' }, ...WHOLE],
  ['GET', { range: 'bytes=0-1,4-5' }, ...WHOLE],
  ['GET', { range: 'bytes=0-1, bytes=2-3' }, ...WHOLE],
  // If-Range: this very object, or all of it.
  ['GET', { range: 'bytes=2-4', 'if-range': ETAG }, 206, '234', 'bytes 2-4/10'],
  ['GET', { range: 'bytes=2-4', 'if-range': '"another"' }, ...WHOLE],
  ['GET', { range: 'bytes=2-4', 'if-range': `W/${ETAG}` }, ...WHOLE],
  ['GET', { range: 'bytes=2-4', 'if-range': PAST }, ...WHOLE],
  ['GET', { range: 'bytes=2-4', 'if-range': FUTURE }, ...WHOLE],
  ['GET', { range: 'bytes=2-4', 'if-range': 'nonsense' }, ...WHOLE],
  ['GET', { range: 'bytes=99-', 'if-range': '"another"' }, ...WHOLE],
  // Conditions.
  ['GET', { 'if-none-match': ETAG }, 304, '', null],
  ['GET', { 'if-none-match': `W/${ETAG}` }, 304, '', null],
  ['GET', { 'if-none-match': `"another", ${ETAG}` }, 304, '', null],
  ['GET', { 'if-none-match': '*' }, 304, '', null],
  ['GET', { 'if-none-match': '"another"' }, ...WHOLE],
  ['GET', { 'if-none-match': ETAG, range: 'bytes=2-4' }, 304, '', null],
  ['GET', { 'if-none-match': '"another"', range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
  ['GET', { 'if-none-match': '"another"', 'if-modified-since': FUTURE }, ...WHOLE],
  ['GET', { 'if-modified-since': FUTURE }, 304, '', null],
  ['GET', { 'if-modified-since': PAST }, ...WHOLE],
  ['GET', { 'if-modified-since': 'nonsense' }, ...WHOLE],
  ['GET', { 'if-match': ETAG }, ...WHOLE],
  ['GET', { 'if-match': '"another"' }, 412, '', null],
  ['GET', { 'if-unmodified-since': PAST }, 412, '', null],
  ['GET', { 'if-unmodified-since': FUTURE }, ...WHOLE],
  // HEAD knows conditions and no ranges.
  ['HEAD', {}, 200, '', null],
  ['HEAD', { range: 'bytes=2-4' }, 200, '', null],
  ['HEAD', { range: 'bytes=99-' }, 200, '', null],
  ['HEAD', { range: 'bytes=2-4', 'if-range': '"another"' }, 200, '', null],
  ['HEAD', { 'if-none-match': ETAG }, 304, '', null],
  ['HEAD', { 'if-none-match': '"another"' }, 200, '', null],
]

test('ranges and conditions are answered as RFC 9110 says, from the bucket and from the cache', async () => {
  const { trackId } = await makeTrack(api.db)
  for (const [index, [method, headers, status, body, contentRange]] of ANSWERS.entries()) {
    const key = `tracks/${trackId}/1/64k/${index}.m4s`
    await put(key, '0123456789')
    for (const cache of ['cold', 'warm']) {
      const response = await get(key, headers, method)
      const { headers: answered } = response
      const isWholeHead = method === 'HEAD' && status === 200
      const seen = {
        status: response.status,
        body: await textOf(response),
        contentRange: answered.get('content-range'),
        etag: answered.get('etag'),
        // Of a whole GET it may be left to the transfer.
        length: status === 206 || isWholeHead ? answered.get('content-length') : null,
      }
      const length = isWholeHead ? '10' : status === 206 ? String(body.length) : null
      const etag = status === 416 ? null : ETAG
      const asked = `${method} ${JSON.stringify(headers)}, ${cache}`
      expect({ asked, ...seen }).toEqual({ asked, status, body, contentRange, etag, length })
    }
  }
}, 60_000)

test('If-Range and If-Modified-Since take the object’s own date', async () => {
  const { segment } = await published()
  const date = (await get(segment)).headers.get('last-modified') ?? ''
  const part = await get(segment, { range: 'bytes=0-1', 'if-range': date })
  expect([part.status, await textOf(part)]).toEqual([206, '01'])
  expect((await get(segment, { 'if-modified-since': date })).status).toBe(304)
})

test('a deleted track is gone within five seconds, cover, init and segments, however it is asked for', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const track = await published()
  const other = await published()
  const elsewhere = makeTestApi()
  api.setNow(new Date())
  for (const key of [...track.keys, ...other.keys]) {
    expect((await get(key)).status).toBe(200)
    expect((await elsewhere.call('GET', `media/${key}`)).status).toBe(200)
  }
  const removed = await api.call('DELETE', `tracks/${track.trackId}`, { bearer: admin.token })
  expect(removed.status).toBe(204)
  for (const isolate of [api, elsewhere]) {
    isolate.setNow(new Date(Date.now() + 5000))
    for (const key of track.keys) {
      const asked = [
        isolate.call('GET', `media/${key}`),
        isolate.call('GET', `media/${key}?nonce=1`),
        isolate.call('HEAD', `media/${key}`),
        isolate.call('GET', `media/${key}`, { headers: { range: 'bytes=0-1' } }),
        isolate.call('GET', `media/${key}`, { headers: { 'if-none-match': ETAG } }),
        isolate.call('GET', `media/${key}`, { headers: { 'if-modified-since': FUTURE } }),
      ]
      const answers = await Promise.all(asked)
      expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 404))
      expect(answers[0]?.headers.get('cache-control')).toBe('no-store')
    }
    for (const key of other.keys)
      expect((await isolate.call('GET', `media/${key}`)).status).toBe(200)
  }
  // An isolate that has just been started, and one whose bucket still has the objects.
  const fresh = makeTestApi()
  for (const key of track.keys) expect((await fresh.call('GET', `media/${key}`)).status).toBe(404)
  api.setNow(null)
})

test('a version that was replaced and purged is gone, and the cover under its prefix stays', async () => {
  const { trackId, segment, cover } = await published()
  await get(segment)
  await get(cover)
  await api.db.$client`update tracks set version = 2 where id = ${trackId}`
  await api.db.$client`update track_versions set status = 'retired' where track_id = ${trackId}`
  const bury = (key: string) => api.db.$client`
    insert into tombstones (bucket, key, is_prefix, reason, track_id, version, purged_at)
    values ('media', ${key}, true, 'version-retired', ${trackId}, 1, now())`
  api.setNow(new Date(Date.now() + 5000))
  expect((await get(segment)).status).toBe(200)
  await bury(`tracks/${trackId}/1/`)
  api.setNow(new Date(Date.now() + 10_000))
  expect([(await get(segment)).status, (await get(cover)).status]).toEqual([404, 200])
  await api.db.$client`update tracks set cover_version = 2 where id = ${trackId}`
  await bury(`tracks/${trackId}/1/`)
  api.setNow(new Date(Date.now() + 15_000))
  expect((await get(cover)).status).toBe(404)
  api.setNow(null)
})

test('what no published version owns is not served, though the bucket has it', async () => {
  const { trackId, prefix } = await published()
  await put(`tracks/${trackId}/2/64k/0.m4s`, 'of a run that is building')
  await put(`${prefix}/cover-96.webp`, 'a cover')
  await api.db.$client`update tracks set cover_version = null where id = ${trackId}`
  for (const key of [`tracks/${trackId}/2/64k/0.m4s`, `${prefix}/cover-96.webp`])
    expect((await get(key)).status).toBe(404)
  const hidden = await published()
  await api.db.$client`update tracks set published_at = null where id = ${hidden.trackId}`
  for (const key of hidden.keys) expect((await get(key)).status).toBe(404)
})

test('segments cost no statement each: what was taken down is asked for every two seconds, once', async () => {
  const { segment } = await published()
  const counted = makeTestApi()
  counted.setNow(new Date())
  await counted.call('GET', `media/${segment}`)
  let asked = 0
  // Every statement of the Worker is one fetch of Neon's protocol.
  const { fetch: send } = globalThis
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation((...args) => {
    const [to] = args
    if (String(to instanceof Request ? to.url : to).endsWith('/sql')) asked++
    return send(...args)
  })
  const hundred = async () => {
    for (let time = 0; time < 100; time++) await counted.call('GET', `media/${segment}`)
    return asked
  }
  expect(await hundred()).toBe(0)
  counted.advance(2.5)
  expect(await hundred()).toBe(1)
  spy.mockRestore()
})

test('while the database is unavailable a cached segment is still served, and nothing is fetched from the bucket', async () => {
  const { segment, init } = await published()
  await textOf(await get(segment))
  // The driver's endpoint is one for all; the last line sets it back.
  const lost = makeTestApi({ NEON_PROXY_URL: 'http://127.0.0.1:9' })
  expect((await lost.call('GET', `media/${segment}`)).status).toBe(200)
  expect((await lost.call('GET', `media/${init}`)).status).toBe(503)
  makeTestApi()
})

test.each([
  '.mist/owner.json',
  'originals/0198c9a0-0000-7000-8000-000000000000',
  'tracks/../originals/x',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/../../../secret',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/key.bin',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/0.m4s/',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/0.m4s%00',
  'tracks/0198c9a0-0000-7000-8000-000000000000/1/64k/0.m4s',
  'tracks%2F0198c9a0-0000-7000-8000-000000000000%2F1%2F64k%2F0.m4s',
  'tracks/%ZZ',
  '',
])('nothing is served at media/%s', async (key) => {
  await put('originals/0198c9a0-0000-7000-8000-000000000000', 'a master')
  await put('.mist/owner.json', '{}')
  const response = await get(key)
  expect([response.status, await problemCode(response)]).toEqual([404, 'not-found'])
})

test('an unavailable store is a 503', async () => {
  const lost = makeTestApi({ S3_ENDPOINT: 'http://127.0.0.1:9' })
  const { trackId } = await makeTrack(api.db)
  const response = await lost.call('GET', `media/tracks/${trackId}/1/64k/5.m4s`)
  expect([response.status, await problemCode(response)]).toEqual([503, 'unavailable'])
})
