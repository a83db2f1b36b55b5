import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PlanId } from './contract/plans.ts'
import {
  makeMeterCalls,
  makeTestDatabase,
  makeTrack,
  makeUser,
  type TestDatabase,
} from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
let start: ReturnType<typeof makeMeterCalls>['start']
let lease: ReturnType<typeof makeMeterCalls>['lease']
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  ;({ start, lease } = makeMeterCalls(db))
}, 60_000)
afterAll(() => close())

const NOON = new Date('2026-01-01T12:00:00Z')
const after = (seconds: number) => new Date(NOON.getTime() + seconds * 1000)

/** A listener whose session has paid for the first period of a track of three minutes. */
async function listening(user: Parameters<typeof makeUser>[1] = {}, durationS = 180) {
  const { userId, familyId } = await makeUser(db, user)
  const { trackId } = await makeTrack(db, { durationS })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  return {
    userId,
    session: session_id,
    run: (from: number, count: number, at = NOON) =>
      lease(session_id, userId, trackId, from, at, count),
  }
}

test('a run of three is three periods in one statement, and its quota', async () => {
  const { run } = await listening()
  expect(await run(1, 3)).toMatchObject({
    outcome: 'granted',
    count: 3,
    charged_ms: 12_000,
    limit_ms: 300_000,
    used_ms: 16_000,
  })
})

test.each([
  ['all of it', 1, 3, 0],
  ['its first', 3, 3, 8000],
  ['its last', 9, 3, 8000],
  ['its middle', 10, 3, 8000],
  ['none of it', 4, 3, 12_000],
])('of a run of which %s is paid for, the rest is charged', async (_, from, count, chargedMs) => {
  const { run } = await listening()
  await run(1, 3)
  await run(11, 1)
  expect(await run(from, count)).toMatchObject({ count: 3, charged_ms: chargedMs })
  expect(await run(from, count)).toMatchObject({ count: 3, charged_ms: 0 })
})

test('a run ends with the track, and the last period is charged what it holds', async () => {
  const { run } = await listening({}, 21.5)
  expect(await run(4, 3)).toMatchObject({ count: 2, charged_ms: 5500 })
  expect(await run(5, 3)).toMatchObject({ count: 1, charged_ms: 0 })
  expect(await run(6, 1)).toMatchObject({ outcome: 'no-period' })
  expect(await run(-1, 3)).toMatchObject({ outcome: 'no-period' })
})

test.each([
  [13, 3],
  [12, 2],
  [9, 2],
  [8, 1],
  [4, null],
])('of a run that a day of %i s does not reach for, %s are granted', async (dailyLimitS, count) => {
  const { run } = await listening({ dailyLimitS })
  const answer = await run(1, 3)
  expect(answer.outcome).toBe(count === null ? 'exhausted' : 'granted')
  expect(answer['count']).toBe(count)
  // Never more than the rest of one period beyond the day.
  expect(Number(answer['used_ms'])).toBeLessThan(dailyLimitS * 1000 + 4000)
  expect(await run(0, 3)).toMatchObject({
    outcome: 'granted',
    count: 1 + Math.min(2, count ?? 0),
    charged_ms: 0,
  })
})

test('of a run that the pace does not reach for, as much is granted as it has', async () => {
  const { run } = await listening({}, 600)
  for (let from = 1; from < 43; from += 3) expect(await run(from, 3)).toMatchObject({ count: 3 })
  // 180 s are 45 periods, of which 43 are gone.
  expect(await run(43, 3)).toMatchObject({ outcome: 'granted', count: 2 })
  const refused = await run(45, 3)
  expect(refused.outcome).toBe('too-early')
  expect(Number(refused['retry_after_s'])).toBeCloseTo(4 / 1.25, 3)
  expect(await run(45, 3, after(3.3))).toMatchObject({ outcome: 'granted', count: 1 })
})

test('a run after midnight UTC is charged to its own day', async () => {
  const { userId, familyId } = await makeUser(db, { dailyLimitS: 8 })
  const { trackId } = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, new Date('2026-01-01T23:59:55Z'))
  const run = (from: number, at: string) =>
    lease(session_id, userId, trackId, from, new Date(at), 3)
  expect(await run(1, '2026-01-01T23:59:59Z')).toMatchObject({ count: 1, used_ms: 8000 })
  expect(await run(2, '2026-01-02T00:00:01Z')).toMatchObject({ count: 2, used_ms: 8000 })
  expect(await run(4, '2026-01-01T23:59:59Z')).toMatchObject({ outcome: 'exhausted' })
})

test('a premium listener’s run tells that there is no limit', async () => {
  const { run } = await listening({ plan: PlanId.parse('premium') })
  expect(await run(1, 3)).toMatchObject({ outcome: 'granted', limit_ms: null, used_ms: 16_000 })
})

test('no lease is of more than three periods or of none', async () => {
  const { run } = await listening()
  expect(await run(1, 100)).toMatchObject({ count: 3 })
  expect(await run(4, 0)).toMatchObject({ count: 1 })
})

test('the bits of a run are where those of single leases are', async () => {
  const { rows } = await db.execute(sql`
    select
      with_leases(l, f, c) = (
        select case c when 1 then with_lease(l, f) when 2 then with_lease(with_lease(l, f), f + 1)
          else with_lease(with_lease(with_lease(l, f), f + 1), f + 2) end
      ) as same,
      has_leased_any(l, f, c) = (
        select bool_or(has_leased(l, p)) from generate_series(f, f + c - 1) p
      ) as any_same
    from generate_series(0, 40) f, generate_series(1, 3) c,
      unnest(array['', '\\x01', '\\x0180', '\\x0000ff']::bytea[]) l`)
  expect(rows).toHaveLength(41 * 3 * 4)
  for (const row of rows) expect(row).toMatchObject({ same: true, any_same: true })
})
