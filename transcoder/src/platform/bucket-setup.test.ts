import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestS3 } from '../testing/stack.ts'
import { covers, setUpBuckets } from './bucket-setup.ts'

const BUCKETS = { mediaBucket: 'media', originalsBucket: 'originals' }
const KEYS = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key-of-some-length' }
const ORIGIN = 'https://music.example'

/**
 * The part of S3 that is about buckets and their rules, which local R2 lacks: it keeps what it is
 * given, and as S3 does it insists on a checksum of rules.
 */
async function startBucketStore() {
  const kept = new Map<string, string>()
  const puts: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://store')
      const kind = url.searchParams.has('cors')
        ? 'cors'
        : url.searchParams.has('lifecycle')
          ? 'lifecycle'
          : ''
      const key = `${url.pathname.replace(/\/$/, '')}?${kind}`
      const body = await text(request)
      const refuse = (status: number, code: string) =>
        response.writeHead(status).end(`<Error><Code>${code}</Code><Message>no</Message></Error>`)
      if (request.method === 'PUT') {
        const md5 = createHash('md5').update(body).digest('base64')
        if (kind !== '' && request.headers['content-md5'] !== md5)
          return refuse(400, 'InvalidDigest')
        kept.set(key, body)
        puts.push(key)
        return response.writeHead(200).end()
      }
      if (kept.has(key)) return response.writeHead(200).end(kept.get(key))
      if (kind === 'cors') return refuse(404, 'NoSuchCORSConfiguration')
      if (kind === 'lifecycle') return refuse(404, 'NoSuchLifecycleConfiguration')
      return response.writeHead(404).end()
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return {
    endpoint: `http://127.0.0.1:${port}`,
    kept,
    puts,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  }
}

const outcomes = (steps: Awaited<ReturnType<typeof setUpBuckets>>) =>
  steps.map(({ bucket, outcome }) => `${bucket} ${outcome}`)

let r2: Awaited<ReturnType<typeof startTestS3>>
const reach = ({ endpoint, accessKeyId, secretAccessKey }: typeof r2) => ({
  endpoint,
  accessKeyId,
  secretAccessKey,
  region: 'auto',
})
beforeAll(async () => {
  r2 = await startTestS3(['media', 'originals'], [ORIGIN])
}, 60_000)
afterAll(() => r2.stop())

test('an empty store gets both buckets with their rules, and the same again changes nothing', async () => {
  const store = await startBucketStore()
  const options = {
    ...BUCKETS,
    ...KEYS,
    region: 'auto',
    endpoint: store.endpoint,
    webOrigins: [ORIGIN],
  }
  try {
    const made = [
      'media made',
      'media made',
      'media made',
      'originals made',
      'originals made',
      'originals made',
    ]
    expect(outcomes(await setUpBuckets(options))).toEqual(made)
    const cors = store.kept.get('/originals?cors') ?? ''
    for (const part of [
      ORIGIN,
      '<AllowedMethod>PUT<',
      '>content-type<',
      '>if-none-match<',
      '<ExposeHeader>ETag<',
    ])
      expect(cors).toContain(part)
    expect(store.kept.get('/originals?lifecycle')).toContain('<DaysAfterInitiation>7<')

    const before = store.puts.length
    const again = await setUpBuckets(options)
    expect(again.every(({ outcome }) => outcome === 'was there')).toBe(true)
    expect(store.puts).toHaveLength(before)
  } finally {
    await store.stop()
  }
})

test('rules of others stay, and ours follows when the web app moves', async () => {
  const store = await startBucketStore()
  const options = { ...BUCKETS, ...KEYS, region: 'auto', endpoint: store.endpoint }
  try {
    await setUpBuckets({ ...options, webOrigins: [ORIGIN] })
    const theirs =
      '<CORSRule><ID>theirs</ID><AllowedOrigin>https://theirs.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>'
    const key = '/originals?cors'
    store.kept.set(key, (store.kept.get(key) ?? '').replace('<CORSRule>', `${theirs}<CORSRule>`))
    await setUpBuckets({ ...options, webOrigins: ['https://new.example'] })
    const rules = store.kept.get(key) ?? ''
    expect(rules).toContain('https://theirs.example')
    expect(rules).toContain('https://new.example')
    expect(rules).not.toContain(ORIGIN)
  } finally {
    await store.stop()
  }
})

test('local R2 says which rules it lacks, and that pages may upload all the same', async () => {
  const steps = await setUpBuckets({ ...BUCKETS, ...reach(r2), webOrigins: [ORIGIN] })
  expect(outcomes(steps)).toEqual([
    'media was there',
    'media was there',
    'media missing',
    'originals was there',
    'originals was there',
    'originals missing',
  ])
  expect(steps[2]?.need).toContain('incomplete uploads')
  expect(steps[2]?.advice).toContain('the store answers')
})

test('a bucket that the store cannot make is named, with what to do', async () => {
  const options = { ...BUCKETS, ...reach(r2), webOrigins: [ORIGIN] }
  const steps = await setUpBuckets({ ...options, mediaBucket: 'another' })
  expect(steps[0]).toMatchObject({ bucket: 'another', need: 'the bucket', outcome: 'missing' })
  expect(steps[0]?.advice).toContain('console')
})

test.each([
  [
    'with more than is needed',
    {
      AllowedOrigins: ['*'],
      AllowedMethods: ['GET', 'PUT'],
      AllowedHeaders: ['*'],
      ExposeHeaders: ['etag'],
    },
    true,
  ],
  [
    'for another origin',
    {
      AllowedOrigins: ['https://x.example'],
      AllowedMethods: ['PUT'],
      AllowedHeaders: ['*'],
      ExposeHeaders: ['ETag'],
    },
    false,
  ],
  [
    'that hides the ETag',
    { AllowedOrigins: [ORIGIN], AllowedMethods: ['PUT'], AllowedHeaders: ['*'] },
    false,
  ],
])('a CORS rule %s is seen for what it is', (_, rule, expected) => {
  const ours = {
    AllowedOrigins: [ORIGIN],
    AllowedMethods: ['PUT'],
    AllowedHeaders: ['content-type'],
    ExposeHeaders: ['ETag'],
  }
  expect(covers(rule, ours)).toBe(expected)
})
