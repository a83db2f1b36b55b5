import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../../db/src/migrate.ts'
import { startLocalR2 } from '../../local/src/local-r2.ts'
import { makeNeonProxy } from '../../local/src/postgres/neon-proxy.ts'
import { startPgliteServer } from '../../local/src/postgres/pglite-server.ts'

// What the Worker talks to, for real: Postgres behind Neon's HTTP protocol, and the S3 endpoint of
// local R2. Tells its parent the Worker's environment, and ends when the parent does.

const dir = await mkdtemp(join(tmpdir(), 'mist-worker-'))
const postgres = await startPgliteServer({ dataDir: join(dir, 'postgres'), port: 0 })
await migrate(postgres.url)
const neon = await makeNeonProxy({ upstream: postgres.url, maxConnections: 4 })
const s3 = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' }
const buckets = ['media', 'originals']
const r2 = await startLocalR2({ dir: join(dir, 'r2'), port: 0, buckets, ...s3 })

process.once('disconnect', () => {
  void (async () => {
    await neon.stop()
    await postgres.stop()
    await r2.stop()
    await rm(dir, { recursive: true, force: true })
    process.exit(0)
  })()
})

process.send?.({
  DATABASE_URL: postgres.url,
  NEON_PROXY_URL: neon.url,
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
