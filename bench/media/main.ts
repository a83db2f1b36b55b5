import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { segmentKey } from '@mist/db/contract'
import { migrate } from '@mist/db/migrate'
import * as schema from '@mist/db/schema'
import { makeTrack } from '@mist/db/testing'
import { startLocalR2 } from '@mist/local/local-r2'
import { makeNeonProxy } from '@mist/local/postgres/neon-proxy'
import { startPgliteServer } from '@mist/local/postgres/pglite-server'
import { bundleWorker, serveBundle } from '@mist/local/workerd/serve-bundle'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { makeObjectStore } from '../../transcoder/src/platform/object-store.ts'
import { load } from '../api/load.ts'
import { median } from '../lib/statistics.ts'
import { printTable } from '../lib/report.ts'

// Cached segments a second, of this checkout's Worker and of another's, which take turns:
//   npm run bench:media -- --against ../an-older-checkout

const { values: options } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '3000' },
    connections: { type: 'string', default: '8' },
  },
})
/** Of one segment: 4 s at 192 kbit/s. */
const SEGMENT_BYTES = 96_000

const dir = await mkdtemp(join(tmpdir(), 'mist-bench-media-'))
const postgres = await startPgliteServer({ dataDir: join(dir, 'postgres'), port: 0 })
await migrate(postgres.url)
const neon = await makeNeonProxy({ upstream: postgres.url, maxConnections: 4 })
const keys = { accessKeyId: 'bench-access-key', secretAccessKey: 'bench-secret-key' }
const r2 = await startLocalR2({ dir: join(dir, 'r2'), port: 0, buckets: ['media'], ...keys })
const pool = new pg.Pool({ connectionString: postgres.url, max: 1 })
const { trackId } = await makeTrack(drizzle(pool, { schema }))
await pool.end()
const key = segmentKey(trackId, 1, '192k', 0)
const store = makeObjectStore({
  endpoint: r2.endpoint,
  region: 'auto',
  ...keys,
  mediaBucket: 'media',
  originalsBucket: 'media',
  connections: 1,
})
await store.putMedia(key, new Uint8Array(randomBytes(SEGMENT_BYTES)), 'video/iso.segment')
store.close()

const vars = {
  DATABASE_URL: postgres.url,
  NEON_PROXY_URL: neon.url,
  JWT_SECRET: randomBytes(48).toString('base64'),
  CONTENT_KEY_SECRET: `test:${Buffer.alloc(32, 7).toString('base64')}`,
  S3_ENDPOINT: r2.endpoint,
  S3_REGION: 'auto',
  S3_BUCKET: 'media',
  S3_ORIGINALS_BUCKET: 'originals',
  S3_ACCESS_KEY_ID: keys.accessKeyId,
  S3_SECRET_ACCESS_KEY: keys.secretAccessKey,
}
const checkouts = [
  { name: 'this checkout', config: 'wrangler.toml' },
  ...(options.against === undefined
    ? []
    : [{ name: 'the other', config: resolve(options.against, 'wrangler.toml') }]),
]
const served = []
for (const [index, { name, config }] of checkouts.entries()) {
  const worker = await serveBundle(await bundleWorker(join(dir, String(index)), config), vars)
  served.push({ name, worker, perS: [] as number[] })
}

const calls = Array.from({ length: Number(options.requests) }, () => ({
  path: `/api/v1/media/${key}`,
}))
// One round more than is counted warms the cache and the compilers.
for (let round = 0; round <= Number(options.rounds); round++) {
  for (const { worker, perS } of served) {
    const connections = Number(options.connections)
    const { requestsPerS, unexpected } = await load(worker.url, calls, { connections, expect: 200 })
    if (Object.keys(unexpected).length > 0) throw new Error(JSON.stringify(unexpected))
    if (round > 0) perS.push(requestsPerS)
  }
}
const first = median(served[0]?.perS ?? [])
printTable(
  ['worker', 'segments/s, median', 'ratio'],
  served.map(({ name, perS }) => [
    name,
    Math.round(median(perS)),
    (median(perS) / first).toFixed(2),
  ]),
)

for (const { worker } of served) await worker.stop()
await neon.stop()
await postgres.stop()
await r2.stop()
await rm(dir, { recursive: true, force: true })
