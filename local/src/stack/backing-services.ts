import { join } from 'node:path'
import { S3_PATH } from '../local-r2.ts'
import { makeSecret } from '../loopback/secret.ts'
import type { Launcher } from './launcher.ts'
import { accepts, answersPing, isHealthy } from './probes.ts'
import { configureRedis } from './redis.ts'
import type { Settings } from './settings.ts'

type Service = {
  launcher: Launcher
  settings: Settings
  dir: string
  ports: { postgres: number; neon: number; s3: number; redis: number }
  say: (text: string) => void
}

// Passwords are new at each start: a program that takes over a port of a stack that is down learns an old
// one only.

/** Starts Postgres, where it is the stack's own, and what speaks Neon's protocol before it. */
export async function startDatabase({
  launcher,
  settings,
  dir,
  ports,
  say,
}: Service): Promise<string> {
  const { database } = settings
  const password = makeSecret()
  const databaseUrl =
    database.kind === 'embedded'
      ? `postgres://postgres:${password}@127.0.0.1:${ports.postgres}/postgres`
      : database.url
  if (database.kind === 'embedded') {
    say('starting Postgres (PGlite)')
    const data = join(dir, 'postgres')
    const own = { EMBEDDED_POSTGRES_PASSWORD: password }
    const isReady = () => accepts(ports.postgres)
    await launcher.startOurs('postgres', [data, String(ports.postgres)], own, isReady)
  }
  if (database.kind !== 'neon') {
    const own = {
      NEON_PROXY_UPSTREAM: databaseUrl,
      NEON_PROXY_PORT: String(ports.neon),
      NEON_PROXY_CONNECTIONS: database.kind === 'embedded' ? '4' : '20',
    }
    const url = `http://127.0.0.1:${ports.neon}/healthz`
    await launcher.startOurs('neon-proxy', [], own, () => isHealthy(url))
  }
  return databaseUrl
}

/** Starts the object store, where it is the stack's own. */
export async function startStore(
  { launcher, settings, dir, ports, say }: Service,
  { webOrigins, latencyMs }: { webOrigins: string; latencyMs: string | undefined },
) {
  const s3 = {
    ...settings.s3,
    endpoint: settings.s3.endpoint ?? `http://127.0.0.1:${ports.s3}${S3_PATH}`,
  }
  if (s3.kind === 'embedded') {
    say("starting S3 (wrangler's local R2)")
    const own = {
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_BUCKETS: `${s3.bucket},${s3.originalsBucket}`,
      S3_DIR: join(dir, 's3'),
      S3_PORT: String(ports.s3),
      S3_ALLOWED_ORIGINS: webOrigins,
      S3_LATENCY_MS: latencyMs,
    }
    await launcher.startOurs('local-r2', [], own, () => accepts(ports.s3))
  }
  return s3
}

/** Starts Redis, where it is the stack's own. */
export async function startRedis({
  launcher,
  settings,
  dir,
  ports,
  say,
}: Service): Promise<string> {
  if (settings.redis.kind !== 'embedded') return settings.redis.url
  const password = makeSecret()
  say('starting Redis')
  await launcher.start('redis', {
    command: 'redis-server',
    args: configureRedis({ port: ports.redis, dir: join(dir, 'redis'), password }),
    isReady: () => answersPing(ports.redis),
  })
  return `redis://:${password}@127.0.0.1:${ports.redis}`
}
