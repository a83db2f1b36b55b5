import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FamilyId, TrackId, UserId } from '@mist/db/contract'
import { migrate } from '@mist/db/migrate'
import * as schema from '@mist/db/schema'
import { makeTrack } from '@mist/db/testing'
import { startRealPostgres } from '@mist/local/postgres/real-postgres'
import { bundleWorker, serveBundle } from '@mist/local/workerd/serve-bundle'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { startProxy } from './proxy.ts'
import { makeTokens } from '../../worker/src/platform/tokens.ts'

const JWT_SECRET = randomBytes(48).toString('base64')

/** Seconds of the track of which the capacity test leases periods. */
export const CAPACITY_TRACK_S = 7200

/** The least that any meter must do: write one row, and not wait for the disk. */
const LEAST_WRITE = `
  create function least_write(p_user uuid) returns json language plpgsql as $$
  begin
    perform set_config('synchronous_commit', 'off', true);
    update meters set used_ms = used_ms + 1 where user_id = p_user;
    return '{}';
  end $$`

export type Listener = { userId: UserId; familyId: FamilyId; accessToken: string }

/**
 * The world of the API benchmark: a real Postgres 17 behind the Neon protocol, the deployed bundle
 * and the baseline in plain workerd, premium listeners, and a catalogue.
 */
export async function makeWorld({
  listeners,
  tracks,
  databaseMs,
}: {
  listeners: number
  tracks: number
  /** Milliseconds to the database and back, on top of this machine's own. */
  databaseMs: number
}) {
  const dir = fileURLToPath(new URL('../../.local/postgres17', import.meta.url))
  const postgres = await startRealPostgres({ dir, say: (text) => console.log(text) })
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query('create database bench')
  await admin.end()
  const url = new URL(postgres.url)
  url.pathname = '/bench'
  await migrate(url.href)

  const proxy = await startProxy(url.href, databaseMs)
  const pool = new pg.Pool({ connectionString: url.href, max: 20 })
  const db = drizzle(pool, { schema })
  await pool.query(LEAST_WRITE)

  const trackIds: TrackId[] = []
  for (let index = 0; index < tracks; index++) {
    trackIds.push((await makeTrack(db, { durationS: 240, title: `Track ${index}` })).trackId)
  }
  const [lease, run] = [
    await makeTrack(db, { durationS: 600, segmentsPerPeriod: 3, title: 'Keys of twelve seconds' }),
    await makeTrack(db, { durationS: 600, title: 'Keys of four seconds' }),
  ]
  await makeTrack(db, { durationS: CAPACITY_TRACK_S, title: 'Long enough for the capacity test' })
  await pool.query(
    `insert into users (id, email, username, password_hash, plan)
     select gen_random_uuid(), 'l' || n || '@example.test', 'l' || n, 'x', 'premium' from generate_series(1, $1::int) n`,
    [listeners],
  )
  const { rows } = await pool.query<{ id: FamilyId; user_id: UserId }>(
    `insert into refresh_families (id, user_id, expires_at)
     select gen_random_uuid(), id, '2100-01-01' from users returning id, user_id`,
  )
  await pool.query('analyze')
  const tokens = makeTokens({ secret: JWT_SECRET, clock: () => new Date() })
  const people: Listener[] = []
  for (const { id, user_id } of rows) {
    const { token } = await tokens.issueAccess({
      userId: user_id,
      familyId: id,
      role: 'user',
      plan: 'premium',
    })
    people.push({ userId: user_id, familyId: id, accessToken: token })
  }
  const first = people[0]!
  const adminToken = await tokens.issueAccess({
    userId: first.userId,
    familyId: first.familyId,
    role: 'admin',
    plan: 'premium',
  })

  const outdir = await mkdtemp(join(tmpdir(), 'mist-bench-'))
  const vars = {
    DATABASE_URL: url.href,
    NEON_PROXY_URL: proxy.url,
    JWT_SECRET,
    // The key under which the test factories wrap: every byte is 7.
    CONTENT_KEY_SECRET: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    S3_ENDPOINT: 'http://127.0.0.1:9',
    S3_REGION: 'auto',
    S3_BUCKET: 'mist-media',
    S3_ORIGINALS_BUCKET: 'mist-originals',
    S3_ACCESS_KEY_ID: 'unused',
    S3_SECRET_ACCESS_KEY: 'unused',
  }
  const api = await serveBundle(await bundleWorker(join(outdir, 'api')), vars)
  const bareBundle = await bundleWorker(join(outdir, 'bare'), 'bench/api/bare.toml')
  const bare = await serveBundle(bareBundle.replace('index.js', 'bare-worker.js'), vars)

  return {
    apiUrl: api.url,
    bareUrl: bare.url,
    trackIds,
    /** Both long enough for a burst of leases: with three segments to a key, and with one. */
    leaseTrackId: lease.trackId,
    runTrackId: run.trackId,
    listeners: people,
    adminToken: adminToken.token,
    statements: () => proxy.statements(),
    pool,
    async close() {
      await Promise.all([api.stop(), bare.stop()])
      await pool.end()
      await proxy.stop()
      await postgres.stop()
      await rm(outdir, { recursive: true, force: true })
    },
  }
}

export type World = Awaited<ReturnType<typeof makeWorld>>
