import { Queue } from 'bullmq'
import { request, type OutgoingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeMetrics } from './metrics.ts'
import { serveOps } from './server.ts'

const PASSWORD = 'a long password'
const authorization = `Basic ${btoa(`admin:${PASSWORD}`)}`
let queue: Queue
let ops: Awaited<ReturnType<typeof serveOps>>

beforeAll(async () => {
  // Nobody listens there: what is refused asks no queue.
  queue = new Queue('test', {
    connection: { port: 9, lazyConnect: true, retryStrategy: () => null },
  })
  queue.on('error', () => {})
  ops = await serveOps({
    port: 0,
    host: '127.0.0.1',
    dashboardPassword: PASSWORD,
    metrics: makeMetrics({ queueDepth: async () => 0 }),
    queue,
    isHealthy: () => true,
  })
})

afterAll(async () => {
  await ops?.close()
  await queue?.close().catch(() => {})
})

function send(method: string, path: string, headers: OutgoingHttpHeaders, port = ops.port) {
  return new Promise<number>((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: { host: `127.0.0.1:${port}`, authorization, ...headers },
      },
      (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    asked.once('error', reject)
    asked.end()
  })
}

const FOREIGN = 'https://evil.example'
const PAUSE = '/queues/api/queues/test/pause'

test.for<[string, string, string, OutgoingHttpHeaders]>([
  ['a POST', 'POST', '/queues/api/queues/test/add', { origin: FOREIGN }],
  ['a PUT', 'PUT', PAUSE, { origin: FOREIGN }],
  ['a PATCH', 'PATCH', PAUSE, { origin: FOREIGN }],
  ['a sandboxed page', 'PUT', PAUSE, { origin: 'null' }],
  ["another port's page", 'PUT', PAUSE, { origin: 'http://127.0.0.1:1' }],
  ['a form', 'POST', PAUSE, { origin: FOREIGN, 'sec-fetch-mode': 'navigate' }],
  ['cross-site without Origin', 'PUT', PAUSE, { 'sec-fetch-site': 'cross-site' }],
  ['same-site without Origin', 'PUT', PAUSE, { 'sec-fetch-site': 'same-site' }],
  [
    'a form that navigates, without Origin',
    'POST',
    PAUSE,
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ],
  ['an image', 'GET', '/metrics', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  [
    'a frame',
    'GET',
    '/queues',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ],
  ['a read', 'GET', '/queues/api/queues', { origin: FOREIGN }],
  ['DNS rebinding', 'GET', '/metrics', { host: 'evil.example' }],
  ['a rebound PUT', 'PUT', PAUSE, { host: 'evil.example', origin: 'http://evil.example' }],
])(
  'with the right password, %s of another origin is refused',
  async ([, method, path, headers]) => {
    expect(await send(method, path, headers)).toBe(403)
  },
)

test('programs, links and the dashboard itself are answered', async () => {
  expect(await send('GET', '/healthz', {})).toBe(200)
  expect(await send('GET', '/metrics', { host: `localhost:${ops.port}` })).toBe(200)
  expect(await send('GET', '/queues', { 'sec-fetch-site': 'same-origin' })).toBe(200)
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  expect(await send('GET', '/queues', { ...link, 'sec-fetch-dest': 'document' })).toBe(200)
  const own = { origin: `http://127.0.0.1:${ops.port}`, 'sec-fetch-site': 'same-origin' }
  expect(await send('PUT', '/queues/api/queues/none/pause', own)).toBe(404)
  expect(await send('GET', '/queues', { authorization: 'Basic x' })).toBe(401)
})

test('a server for other machines answers to its other names, and to their pages only', async () => {
  const open = await serveOps({
    port: 0,
    host: '0.0.0.0',
    dashboardPassword: PASSWORD,
    metrics: makeMetrics({ queueDepth: async () => 0 }),
    queue,
    isHealthy: () => true,
  })
  try {
    expect(await send('GET', '/metrics', { host: 'transcoder:9464' }, open.port)).toBe(200)
    const host = 'ops.example'
    const path = '/queues/api/queues/none/pause'
    expect(await send('PUT', path, { host, origin: 'https://ops.example' }, open.port)).toBe(404)
    expect(await send('PUT', path, { host, origin: FOREIGN }, open.port)).toBe(403)
  } finally {
    await open.close()
  }
})
