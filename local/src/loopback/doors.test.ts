import { AwsClient } from 'aws4fetch'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEdge } from '../edge/workerd.ts'
import { S3_PATH, startLocalR2 } from '../local-r2.ts'
import { makeNeonProxy } from '../postgres/neon-proxy.ts'
import { startPgliteServer } from '../postgres/pglite-server.ts'
import { findFreePort } from '../process/ports.ts'
import { findProgram } from '../setup/system-packages.ts'
import { accepts, answersPing } from '../stack/probes.ts'
import { configureRedis } from '../stack/redis.ts'

// Every port of the stack, against what a page that a developer visits can make a browser send, and
// against another user of the machine. The transcoder's port is in transcoder/src/ops.

const OWN_PAGE = 'http://localhost:8787'
const FOREIGN = 'https://evil.example'
const dir = mkdtempSync(join(tmpdir(), 'mist-doors-'))
const key = { accessKeyId: 'an-access-key', secretAccessKey: 'a-secret-key' }
const signer = new AwsClient({ ...key, service: 's3', region: 'auto' })
let postgres: Awaited<ReturnType<typeof startPgliteServer>>
let neon: Awaited<ReturnType<typeof makeNeonProxy>>
let r2: Awaited<ReturnType<typeof startLocalR2>>
let edge: Awaited<ReturnType<typeof startEdge>>
const ports: Record<string, number> = {}

beforeAll(async () => {
  postgres = await startPgliteServer({ dataDir: join(dir, 'postgres'), port: 0 })
  neon = await makeNeonProxy({ upstream: postgres.url, maxConnections: 2 })
  r2 = await startLocalR2({
    dir: join(dir, 'r2'),
    port: 0,
    buckets: ['media'],
    ...key,
    allowedOrigins: [OWN_PAGE],
  })
  Object.assign(ports, { web: await findFreePort(), api: await findFreePort() })
  edge = await startEdge({
    bundles: { api: makeBundle('api'), web: makeBundle('web') },
    apiPort: ports['api'] ?? 0,
    webPort: ports['web'] ?? 0,
    apiEnv: {},
    webEnv: {},
    rateLimitFactor: 1,
    runsSchedules: false,
  })
  Object.assign(ports, {
    neon: neon.port,
    s3: Number(new URL(r2.endpoint).port),
    'edge (Miniflare)': edge.ownPort,
    's3 (Miniflare)': r2.ownPort,
  })
}, 120_000)

afterAll(async () => {
  await edge?.stop()
  await r2?.stop()
  await neon?.stop()
  await postgres?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** A Worker that says yes to all, as wrangler would have bundled it. */
function makeBundle(name: string): string {
  const bundle = join(dir, name)
  mkdirSync(join(bundle, 'client'), { recursive: true })
  writeFileSync(join(bundle, 'client/nothing.txt'), '')
  writeFileSync(
    join(bundle, 'index.js'),
    `export default { fetch: async (request) => new Response('${name} ' + await request.text()) }`,
  )
  const worker = { compatibilityDate: '2026-11-01', compatibilityFlags: [], vars: {}, crons: [] }
  writeFileSync(join(bundle, 'worker.json'), JSON.stringify({ ...worker, ratelimits: [] }))
  return bundle
}

/** Sends what no fetch() may: any Host, any Origin. Answers the status, 101 for a WebSocket. */
function send(
  port: number | undefined,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  body = '',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, method, path, headers: { host: `localhost:${port}`, ...headers } },
      (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      },
    )
    asked.once('upgrade', (_answer, socket) => {
      socket.destroy()
      resolve({ status: 101, text: '' })
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

const SQL = JSON.stringify({ query: 'create table if not exists stolen (id int)', params: [] })
const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const text = { 'content-type': 'text/plain' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

type Attack = [name: string, method: string, path: string, headers: OutgoingHttpHeaders]
const S3_OBJECT = `${S3_PATH}/media/a.bin`
const FROM_A_PAGE: Record<string, Attack[]> = {
  neon: [
    ['a simple POST', 'POST', '/sql', { ...text, origin: FOREIGN }],
    ['a POST of a sandboxed page', 'POST', '/sql', { ...text, origin: 'null' }],
    ["a POST of another port's page", 'POST', '/sql', { ...text, origin: 'http://localhost:3000' }],
    ['a POST of its own address', 'POST', '/sql', { ...text, origin: 'http://evil.example:1' }],
    ['a form', 'POST', '/sql', { ...form, origin: FOREIGN, 'sec-fetch-mode': 'navigate' }],
    ['a beacon without Origin', 'POST', '/sql', { ...text, 'sec-fetch-site': 'cross-site' }],
    [
      'an image',
      'GET',
      '/healthz',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    ],
    ['a sibling port', 'GET', '/healthz', { 'sec-fetch-site': 'same-site' }],
    [
      'a preflight',
      'OPTIONS',
      '/sql',
      { origin: FOREIGN, 'access-control-request-method': 'POST' },
    ],
    ['a WebSocket', 'GET', '/v2', { ...HANDSHAKE, origin: FOREIGN }],
    ['DNS rebinding', 'POST', '/sql', { ...text, host: 'evil.example' }],
    ['a rebound WebSocket', 'GET', '/v2', { ...HANDSHAKE, host: 'evil.example' }],
    ['a name below localhost', 'POST', '/sql', { ...text, host: 'evil.localhost' }],
    ['another port in Host', 'POST', '/sql', { ...text, host: 'localhost:1' }],
  ],
  s3: [
    ['a foreign PUT', 'PUT', S3_OBJECT, { ...text, origin: FOREIGN }],
    ['a sandboxed PUT', 'PUT', S3_OBJECT, { ...text, origin: 'null' }],
    ['a form', 'POST', S3_OBJECT, { ...form, origin: FOREIGN }],
    ['an image', 'GET', S3_OBJECT, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a preflight', 'OPTIONS', S3_OBJECT, { origin: FOREIGN }],
    ['DNS rebinding', 'GET', S3_OBJECT, { host: 'evil.example' }],
    ['another port in Host', 'GET', S3_OBJECT, { host: 'localhost:1' }],
  ],
  web: [
    ['DNS rebinding', 'GET', '/', { host: 'evil.example' }],
    ['a rebound POST', 'POST', '/', { host: 'evil.example', origin: 'http://evil.example' }],
    ['a rebound WebSocket', 'GET', '/', { ...HANDSHAKE, host: 'evil.example' }],
    ['another port in Host', 'GET', '/', { host: 'localhost:1' }],
  ],
  api: [
    ['DNS rebinding', 'POST', '/api/v1/x', { host: 'evil.example' }],
    ['another port in Host', 'GET', '/api/v1/x', { host: '127.0.0.1:1' }],
  ],
  'edge (Miniflare)': [
    ['a request by its own name', 'GET', '/', {}],
    ['DNS rebinding', 'GET', '/', { host: 'evil.example' }],
  ],
}

test.for(
  Object.entries(FROM_A_PAGE).flatMap(([port, attacks]) =>
    attacks.map((attack): [string, ...Attack] => [port, ...attack]),
  ),
)('%s refuses a browser: %s', async ([port, , method, path, headers]) => {
  // With the right connection string even: a page that has learnt it is still refused.
  const known = port === 'neon' ? { 'neon-connection-string': postgres.url } : {}
  const { status } = await send(ports[port], method, path, { ...known, ...headers }, bodyOf(method))
  expect(status).toBe(403)
})

function bodyOf(method: string): string {
  return method === 'GET' || method === 'OPTIONS' ? '' : SQL
}

test('each port still answers those whom it is there for', async () => {
  const known = { 'neon-connection-string': postgres.url }
  const one = JSON.stringify({ query: 'select 1 as one', params: [] })
  expect(await send(neon.port, 'POST', '/sql', known, one)).toMatchObject({ status: 200 })
  expect(await send(neon.port, 'GET', '/healthz', { 'sec-fetch-site': 'none' })).toMatchObject({
    status: 200,
  })
  expect(await send(neon.port, 'GET', '/v2', HANDSHAKE)).toMatchObject({ status: 101 })
  for (const name of ['localhost', '127.0.0.1', '[::1]']) {
    const host = `${name}:${ports['web']}`
    expect(await send(ports['web'], 'POST', '/', { host }, 'hello')).toEqual({
      status: 200,
      text: 'web hello',
    })
  }
  expect(await send(ports['api'], 'GET', '/api/v1/x', {})).toEqual({ status: 200, text: 'api ' })
  const preflight = await send(ports['s3'], 'OPTIONS', S3_OBJECT, { origin: OWN_PAGE })
  expect(preflight.status).toBe(204)
})

test.for<[string, () => string | undefined]>([
  ['no connection string', () => undefined],
  ['a wrong password', () => changed((url) => (url.password = 'postgres'))],
  ['no password', () => changed((url) => (url.password = ''))],
  ['another user', () => changed((url) => (url.username = 'other'))],
  ['another database', () => changed((url) => (url.pathname = '/other'))],
  ['what is no URL', () => 'postgres'],
])('the proxy refuses %s', async ([, make]) => {
  const given = make()
  const headers = given === undefined ? {} : { 'neon-connection-string': given }
  expect(await send(neon.port, 'POST', '/sql', headers, SQL)).toMatchObject({ status: 401 })
})

function changed(change: (url: URL) => unknown): string {
  const url = new URL(postgres.url)
  change(url)
  return url.href
}

test('nothing that was refused has run', async () => {
  const client = new pg.Client(postgres.url)
  await client.connect()
  const { rows } = await client.query("select to_regclass('stolen') as stolen")
  await client.end()
  expect(rows).toEqual([{ stolen: null }])
})

test.for(['postgres', '', 'x'.repeat(2_000)])(
  'the embedded Postgres lets nobody in with the password %j',
  async (password) => {
    const { port } = postgres
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password })
    client.on('error', () => {})
    await expect(client.connect()).rejects.toThrow(/password/)
    await client.end().catch(() => {})
  },
)

test('a query sent without waiting for the question after the password is not run', async () => {
  const socket = connect(postgres.port, '127.0.0.1')
  const startup = Buffer.from('\0\0\0\x17\0\x03\0\0user\0postgres\0\0', 'latin1')
  startup.writeInt32BE(startup.length)
  const query = Buffer.from('Q\0\0\0\0create table stolen ()\0', 'latin1')
  query.writeInt32BE(query.length - 1, 1)
  let said = ''
  socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')))
  socket.write(Buffer.concat([startup, query]))
  await new Promise((resolve) => socket.once('close', resolve))
  expect(said).toContain('28P01')
})

test("objects are read with a signature only, also at the endpoint's own port", async () => {
  const signed = await signer.sign(`${r2.endpoint}/media/secret.bin`, { method: 'PUT', body: 'x' })
  expect((await fetch(signed)).status).toBe(200)
  const ways = [
    '/cdn-cgi/local/r2/public/media/secret.bin',
    `${S3_PATH}/../public/media/secret.bin`,
    `${S3_PATH}/%2e%2e/public/media/secret.bin`,
    `${S3_PATH}/media/secret.bin`,
    '/media/secret.bin',
    '/../public/media/secret.bin',
  ]
  for (const port of ['s3', 's3 (Miniflare)'])
    for (const path of ways) {
      const { status } = await send(ports[port], 'GET', path, {})
      expect({ port, path, isRefused: status >= 400 }).toEqual({ port, path, isRefused: true })
    }
  const original = 'http://localhost/cdn-cgi/local/r2/public/media/secret.bin'
  for (const url of [original, `blob:${original}`]) {
    const { status } = await send(ports['s3'], 'GET', S3_OBJECT, { 'mf-original-url': url })
    expect({ url, isRefused: status >= 400 }).toEqual({ url, isRefused: true })
  }
})

test.runIf(findProgram('redis-server'))(
  'Redis takes no command without its password, which no argument shows',
  async () => {
    const port = await findFreePort()
    const folder = join(dir, 'redis')
    const args = configureRedis({ port, dir: folder, password: 'a-secret' })
    expect(args.join(' ')).not.toContain('a-secret')
    expect(statSync(join(folder, 'redis.conf')).mode & 0o777).toBe(0o600)
    const redis = spawn('redis-server', args, { stdio: 'ignore' })
    try {
      while (!(await accepts(port)) || !(await answersPing(port))) await sleep(50)
      expect(await say(port, 'SET a b\r\n')).toMatch(/^-NOAUTH/)
      expect(await say(port, 'AUTH a-secret\r\nSET a b\r\n')).toMatch(/\+OK\r\n\+OK/)
      // Redis itself ends what looks like HTTP.
      expect(await say(port, 'POST / HTTP/1.1\r\nHost: localhost\r\n\r\nFLUSHALL\r\n')).not.toMatch(
        /\+OK/,
      )
    } finally {
      redis.kill('SIGKILL')
    }
  },
)

/** What a server answers within a moment. */
function say(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(command))
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
    socket.once('error', () => resolve(said))
    socket.once('close', () => resolve(said))
    setTimeout(() => socket.destroy(), 300)
  })
}
