import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { expect, test } from 'vitest'
import { MIGRATIONS_FOLDER } from './migrate.ts'

const USER = '019a0000-0000-7000-8000-000000000001'
const FAMILY = '019a0000-0000-7000-8000-000000000002'
const TRACK = '019a0000-0000-7000-8000-000000000003'
const SESSION = '019a0000-0000-7000-8000-000000000004'
const BLOCKED = '019a0000-0000-7000-8000-000000000005'
const REVOKED = '019a0000-0000-7000-8000-000000000006'
const REVOKED_SESSION = '019a0000-0000-7000-8000-000000000007'

test('what was used and leased before the meter became one row is neither lost nor charged again', async () => {
  const client = new PGlite({ extensions: { vector, pg_trgm } })
  const run = async (name: string) =>
    client.exec(await readFile(join(MIGRATIONS_FOLDER, `${name}.sql`), 'utf8'))
  for (const name of ['0000_tables', '0001_vector', '0002_meter']) await run(name)
  await client.exec(`
    insert into users (id, email, username, password_hash) values ('${USER}', 'a@example.test', 'a', 'x');
    insert into refresh_families (id, user_id, expires_at) values ('${FAMILY}', '${USER}', '2100-01-01');
    insert into tracks (id, title, version, published_at) values ('${TRACK}', 'Old', 1, now());
    insert into track_versions (track_id, version, job_id, status, sample_rate, sample_count, priming_samples, padding_samples)
      values ('${TRACK}', 1, '${SESSION}', 'published', 44100, 4410000, 1024, 0);
    insert into track_keys (track_id, version, kid, wrapped) values ('${TRACK}', 1, 'k', 'x')`)
  const start = `select * from start_listening_session('${SESSION}', '${USER}', '${FAMILY}', '${TRACK}', 0, '2026-01-01T23:59:00Z')`
  const lease = (period: number) =>
    `select outcome, charged_ms, used_ms from lease_key_period('${SESSION}', '${USER}', '${TRACK}', 1, ${period}, '2026-01-02T00:00:30Z')`
  await client.query(start)
  await client.query(lease(8))
  await client.query(lease(2))

  await client.exec(`
    update users set plan = 'premium', daily_limit_s = 100 where id = '${USER}';
    insert into users (id, email, username, password_hash, blocked_at)
      values ('${BLOCKED}', 'b@example.test', 'b', 'x', '2026-01-01');
    insert into refresh_families (id, user_id, expires_at, revoked_at)
      values ('${REVOKED}', '${USER}', '2100-01-01', '2026-01-01');
    insert into listening_sessions (id, user_id, family_id, track_id, version, started_at, expires_at, heartbeat_at)
      values ('${REVOKED_SESSION}', '${USER}', '${REVOKED}', '${TRACK}', 1, '2026-01-01', '2026-01-02', '2026-01-01')`)

  await run('0003_one_row_meter')
  await run('0004_sample_peak')
  await run('0005_session_carries_its_track')
  await run('0006_one_row_lease')
  await run('0007_leaner_lease')
  await run('0010_sign_in_limits')
  await run('0011_meter_bounds')

  const meterOf = async (user: string) =>
    (await client.query('select * from meters where user_id = $1', [user])).rows[0]
  expect(await meterOf(USER)).toMatchObject({
    used_ms: 16_000,
    day_before_ms: 12_000,
    plan: 'premium',
    daily_limit_s: 100,
    seats: [SESSION],
  })
  // One who never listened has a meter, too, and a session of a sign-in that was revoked is over.
  expect(await meterOf(BLOCKED)).toMatchObject({ used_ms: 0, plan: 'free', seats: [] })
  expect(await meterOf(BLOCKED)).toHaveProperty('blocked_at', expect.any(Date))
  const { rows: reasons } = await client.query(
    'select end_reason from listening_sessions where id = $1',
    [REVOKED_SESSION],
  )
  expect(reasons).toEqual([{ end_reason: 'signed-out' }])
  const outcomes = []
  for (const period of [0, 2, 8, 3]) {
    const { rows } = await client.query<{ answer: Record<string, unknown> }>(
      `select lease_key_period('${SESSION}', '${USER}', '${TRACK}', 1, ${period}, '2026-01-02T00:00:30Z') as answer`,
    )
    outcomes.push(rows[0]!.answer)
  }
  expect(outcomes).toMatchObject([
    { outcome: 'granted', charged_ms: 0, used_ms: 16_000 },
    { outcome: 'granted', charged_ms: 0, used_ms: 16_000 },
    { outcome: 'granted', charged_ms: 0, used_ms: 16_000 },
    { outcome: 'granted', charged_ms: 12_000, used_ms: 28_000 },
  ])
  await client.close()
}, 60_000)
