import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate } from '@mist/db/migrate'

const LOCAL = new URL('../../../local/src/entry/', import.meta.url)

/** Where local R2 serves S3. */
const S3_PATH = '/cdn-cgi/local/r2/s3'

const KEY = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key-of-some-length' }

/** Which installation a test's stack is. */
const TEST_INSTALLATION = '019a0000-0000-7000-8000-00000000aaaa'

export type TestStack = Awaited<ReturnType<typeof startTestStack>>

/**
 * Starts a real Postgres (PGlite behind its wire protocol), Redis and S3 (local R2) on free ports
 * with a folder of their own, migrated and empty. All of them end with `stop`.
 *
 * @param s3LatencyMs added to every request to the store
 */
export async function startTestStack({ s3LatencyMs = 0 }: { s3LatencyMs?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mist-test-'))
  const [postgresPort, redisPort, s3Port] = await freePorts(3)
  const postgres = () =>
    startPart(process.execPath, [local('postgres.ts'), join(folder, 'pg'), String(postgresPort)], {
      EMBEDDED_POSTGRES_PASSWORD: 'postgres',
    })
  const redis = () =>
    startPart(
      'sh',
      [
        // Dies with us, however we die: our end of its stdin closes.
        '-c',
        'redis-server "$@" & cat >/dev/null; kill $!',
        'redis',
        '--port',
        String(redisPort),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
        '--appendonly',
        'yes',
        '--maxmemory-policy',
        'noeviction',
        '--save',
        '',
      ],
      {},
    )
  const s3 = () =>
    startPart(process.execPath, [local('local-r2.ts')], {
      S3_ACCESS_KEY_ID: KEY.accessKeyId,
      S3_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      S3_BUCKETS: 'media,originals',
      S3_DIR: join(folder, 's3'),
      S3_PORT: String(s3Port),
      S3_LATENCY_MS: String(s3LatencyMs),
    })
  const parts = { postgres: postgres(), redis: redis(), s3: s3() }
  await Promise.all([postgresPort, redisPort, s3Port].map((port) => untilListening(port!)))
  const databaseUrl = `postgres://postgres:postgres@127.0.0.1:${postgresPort}/postgres`
  await migrate(databaseUrl)

  return {
    folder,
    databaseUrl,
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    s3: { endpoint: `http://127.0.0.1:${s3Port}${S3_PATH}`, ...KEY },
    /** The environment of a transcoder that uses this stack. */
    env: {
      DATABASE_URL: databaseUrl,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      S3_ENDPOINT: `http://127.0.0.1:${s3Port}${S3_PATH}`,
      S3_REGION: 'auto',
      S3_BUCKET: 'media',
      S3_ORIGINALS_BUCKET: 'originals',
      S3_ACCESS_KEY_ID: KEY.accessKeyId,
      S3_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      INSTALLATION_ID: TEST_INSTALLATION,
      CONTENT_KEY_SECRET: `test:${btoa('\x07'.repeat(32))}`,
      WORK_DIR: join(folder, 'work'),
      METRICS_PORT: '0',
      TRANSCODE_CONCURRENCY: '1',
      RELAY_INTERVAL_MS: '100',
      RECONCILE_INTERVAL_S: '1',
      LOG_LEVEL: 'info',
    },
    /** Stops a part, as an outage does; its data stay. */
    async halt(part: keyof typeof parts): Promise<void> {
      await end(parts[part])
    },
    /** Brings a part back on its old port. */
    async resume(part: keyof typeof parts): Promise<void> {
      parts[part] = { postgres, redis, s3 }[part]()
      await untilListening({ postgres: postgresPort!, redis: redisPort!, s3: s3Port! }[part])
    },
    async stop(): Promise<void> {
      await Promise.all(Object.values(parts).map(end))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Starts S3 alone (local R2) with empty buckets of these names; it ends with `stop`.
 *
 * @param webOrigins whose pages may upload
 */
export async function startTestS3(buckets: readonly string[], webOrigins: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'mist-test-s3-'))
  const [port] = await freePorts(1)
  const child = startPart(process.execPath, [local('local-r2.ts')], {
    S3_ACCESS_KEY_ID: KEY.accessKeyId,
    S3_SECRET_ACCESS_KEY: KEY.secretAccessKey,
    S3_BUCKETS: buckets.join(','),
    S3_ALLOWED_ORIGINS: webOrigins.join(','),
    S3_DIR: folder,
    S3_PORT: String(port),
  })
  await untilListening(port!)
  return {
    endpoint: `http://127.0.0.1:${port}${S3_PATH}`,
    ...KEY,
    async stop(): Promise<void> {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function local(entry: string): string {
  return fileURLToPath(new URL(entry, LOCAL))
}

function startPart(program: string, args: string[], env: Record<string, string>): ChildProcess {
  return spawn(program, args, {
    stdio: ['pipe', 'ignore', process.env['MIST_TEST_VERBOSE'] === '1' ? 'inherit' : 'ignore'],
    env: { ...process.env, ...env },
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(timer)
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  return servers.map((server) => {
    const address = server.address()
    server.close()
    if (typeof address !== 'object' || address === null) throw new Error('no port')
    return address.port
  })
}

async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + 180_000
  while (Date.now() < deadline) {
    const { connect } = await import('node:net')
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nothing listens on port ${port}`)
}
