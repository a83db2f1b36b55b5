import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../../db/src/migrate.ts'
import { startLocalR2 } from '../../local/src/local-r2.ts'
import { makeNeonProxy } from '../../local/src/postgres/neon-proxy.ts'
import { startPgliteServer } from '../../local/src/postgres/pglite-server.ts'

// What the Worker talks to, for real: Postgres behind Neon's HTTP protocol, one for each test file, and
// the S3 endpoint of local R2. Tells its parent the Worker's environment, and ends when the parent does.

const dir = await mkdtemp(join(tmpdir(), 'mist-worker-'))

// Migrated once and copied: that is faster than to migrate each.
const template = join(dir, 'template')
const migrated = await startPgliteServer({ dataDir: template, port: 0 })
await migrate(migrated.url)
await migrated.stop()

const closers = new Map<string, () => Promise<void>>()

async function openDatabase() {
  const id = randomUUID()
  const dataDir = join(dir, id)
  await cp(template, dataDir, { recursive: true })
  const postgres = await startPgliteServer({ dataDir, port: 0 })
  const neon = await makeNeonProxy({ upstream: postgres.url, maxConnections: 4 })
  closers.set(id, async () => {
    closers.delete(id)
    await neon.stop()
    await postgres.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  return { id, DATABASE_URL: postgres.url, NEON_PROXY_URL: neon.url }
}

/** `POST /` opens a database, `DELETE /<id>` closes it. */
const databases = createServer((request, response) => {
  const id = (request.url ?? '').slice(1)
  const answer =
    request.method === 'POST' ? openDatabase() : (closers.get(id)?.() ?? Promise.resolve())
  answer.then(
    (body) => response.end(JSON.stringify(body ?? {})),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})
await new Promise<void>((resolve) => {
  databases.listen(0, '127.0.0.1', resolve)
})
const address = databases.address()
if (address === null || typeof address === 'string') throw new Error('no port to listen on')

const s3 = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' }
const buckets = ['media', 'originals']
const r2 = await startLocalR2({ dir: join(dir, 'r2'), port: 0, buckets, ...s3 })

process.once('disconnect', () => {
  void (async () => {
    for (const close of closers.values()) await close()
    await r2.stop()
    await rm(dir, { recursive: true, force: true })
    process.exit(0)
  })()
})

process.send?.({
  TEST_DATABASES: `http://127.0.0.1:${address.port}`,
  JWT_SECRET: 'a secret for tests, of 32 characters or more',
  // The factories of db wrap keys under the same one: every byte is 7.
  CONTENT_KEY_SECRET: `test:${btoa('\x07'.repeat(32))}`,
  S3_ENDPOINT: r2.endpoint,
  S3_BUCKET: 'media',
  S3_ORIGINALS_BUCKET: 'originals',
  S3_ACCESS_KEY_ID: s3.accessKeyId,
  S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  WEB_ORIGINS: 'https://music.example',
})
