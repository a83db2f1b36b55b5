import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
let listen: ReturnType<typeof makeMeterCalls>['listen']
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  ;({ start, lease, listen } = makeMeterCalls(db))
}, 60_000)
afterAll(() => close())

const NOON = new Date('2026-01-01T12:00:00Z')
const after = (seconds: number) => new Date(NOON.getTime() + seconds * 1000)

test('a period of a new version is charged four seconds, and one of before twelve', async () => {
  for (const [segmentsPerPeriod, chargedMs] of [
    [1, 4000],
    [3, 12_000],
  ] as const) {
    const { userId, familyId } = await makeUser(db)
    const { trackId } = await makeTrack(db, { segmentsPerPeriod })
    const started = await start(userId, familyId, trackId, NOON)
    expect(started).toMatchObject({ used_ms: chargedMs, segments_per_period: segmentsPerPeriod })
    expect(await lease(started['session_id'], userId, trackId, 1, NOON)).toMatchObject({
      charged_ms: chargedMs,
      used_ms: 2 * chargedMs,
    })
  }
})

test.each([
  [1, 9.06, [4000, 4000, 1060]],
  [1, 8.05, [4000, 4050]],
  [3, 24.06, [12_000, 12_000, 60]],
  [3, 24.05, [12_000, 12_050]],
])(
  'with %i segments to a key, %f s are charged their length and not a millisecond more',
  async (segmentsPerPeriod, durationS, charges) => {
    const { userId, familyId } = await makeUser(db)
    const { trackId } = await makeTrack(db, { durationS, segmentsPerPeriod })
    const { session_id, used_ms } = await start(userId, familyId, trackId, NOON)
    const charged = [used_ms]
    for (let period = 1; period < charges.length; period++)
      charged.push((await lease(session_id, userId, trackId, period, NOON))['charged_ms'])
    expect(charged).toEqual(charges)
    expect(await lease(session_id, userId, trackId, charges.length, NOON)).toMatchObject({
      outcome: 'no-period',
      used_ms: Math.round(durationS * 1000),
    })
  },
)

test.each([
  [1, 61, 15],
  [3, 61, 5],
  [1, 10_000, 44],
])(
  'with %i segments to a key, play at %i s begins with period %i',
  async (segmentsPerPeriod, positionS, period) => {
    const { userId, familyId } = await makeUser(db)
    const { trackId } = await makeTrack(db, { segmentsPerPeriod })
    const started = await start(userId, familyId, trackId, NOON, positionS)
    expect(started).toMatchObject({ outcome: 'started', period })
    expect(await lease(started['session_id'], userId, trackId, period, NOON)).toMatchObject({
      charged_ms: 0,
    })
  },
)

test('a position is believed as far as the periods reach that were leased', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  await lease(session_id, userId, trackId, 1, NOON)
  expect(await listen(session_id, userId, 9.1, false, after(20))).toMatchObject({
    outcome: 'not-leased',
  })
  expect(await listen(session_id, userId, 8.9, false, after(20))).toMatchObject({ heard_s: 8.9 })
})

test('a session under way when the grain changed goes on in periods of twelve seconds', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { segmentsPerPeriod: 3 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  // As the migration found it: the column's default.
  await db.execute(sql`update listening_sessions set period_ms = default where id = ${session_id}`)
  expect(await lease(session_id, userId, trackId, 1, after(9))).toMatchObject({
    charged_ms: 12_000,
  })
})

test('the day ends at most four seconds late', async () => {
  const { userId, familyId } = await makeUser(db, { dailyLimitS: 13 })
  const { trackId } = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  const outcomes = []
  for (let period = 1; period < 5; period++)
    outcomes.push(await lease(session_id, userId, trackId, period, NOON))
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    'granted',
    'granted',
    'granted',
    'exhausted',
  ])
  expect(outcomes.at(-1)).toMatchObject({ used_ms: 16_000 })
})
