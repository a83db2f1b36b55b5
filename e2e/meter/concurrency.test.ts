import { count, eq, sql } from 'drizzle-orm'
import { listeningSessions, meters } from '@mist/db/schema'
import { makeFamily, makeMeterCalls, makeTrack, makeUser } from '@mist/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeRealDatabase } from './real-database.ts'

let database: Awaited<ReturnType<typeof makeRealDatabase>>
beforeAll(async () => {
  database = await makeRealDatabase()
})
afterAll(() => database.close())

const NOON = new Date('2026-01-01T12:00:00Z')

/** How many of the answers have each outcome. */
function tally(rows: { outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of rows) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

test('200 concurrent leases of different periods with 4 s left grant exactly one', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { trackId } = await makeTrack(db, { durationS: 3600 })
  // Several rounds: the window of a race is narrow, and without the row lock one round may miss it.
  for (let round = 0; round < 10; round++) {
    // Eight seconds a day: the start takes four, which leaves four.
    const { userId, familyId } = await makeUser(db, { plan: 'premium', dailyLimitS: 8 })
    const { session_id } = await meter.start(userId, familyId, trackId, NOON)
    const rows = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        meter.lease(session_id, userId, trackId, index + 1, new Date(NOON.getTime() + 1000)),
      ),
    )
    expect(tally(rows)).toEqual({ granted: 1, exhausted: 199 })
  }
})

test('200 concurrent leases of the same period debit once', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const { session_id } = await meter.start(userId, familyId, trackId, NOON)
  const rows = await Promise.all(
    Array.from({ length: 200 }, () => meter.lease(session_id, userId, trackId, 1, NOON)),
  )
  expect(tally(rows)).toEqual({ granted: 200 })
  expect(rows.filter((row) => Number(row['charged_ms']) > 0)).toHaveLength(1)
  const [usage] = await db.select().from(meters).where(eq(meters.userId, userId))
  expect(usage?.usedMs).toBe(8000)
})

test('50 concurrent session starts on a free plan leave exactly one live session', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { userId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 2 })
  const families = await Promise.all(Array.from({ length: 50 }, () => makeFamily(db, userId)))
  const rows = await Promise.all(
    families.map((family) => meter.start(userId, family, trackId, NOON)),
  )
  expect(tally(rows)).toEqual({ started: 50 })
  const [live] = await db
    .select({ count: count() })
    .from(listeningSessions)
    .where(sql`user_id = ${userId} and ended_at is null`)
  expect(live?.count).toBe(1)
})

test('a lease that waits while its session is superseded opens nothing of the next one', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { trackId } = await makeTrack(db, { durationS: 3600 })
  for (let round = 0; round < 15; round++) {
    const { userId, familyId } = await makeUser(db, { dailyLimitS: 3600 })
    const phone = await makeFamily(db, userId)
    const { session_id } = await meter.start(userId, familyId, trackId, NOON)
    const leaseAll = (from: number) =>
      Array.from({ length: 6 }, (_, index) =>
        meter.lease(session_id, userId, trackId, 3 * (from + index), NOON, 3),
      )
    const [early, next, late] = await Promise.all([
      Promise.all(leaseAll(1)),
      meter.start(userId, phone, trackId, NOON),
      Promise.all(leaseAll(7)),
    ])
    expect(next.outcome).toBe('started')
    const { granted = 0, superseded = 0 } = tally([...early, ...late])
    expect(granted + superseded).toBe(12)
    const [books] = await db.select().from(meters).where(eq(meters.userId, userId))
    expect(books).toMatchObject({ usedMs: (2 + 3 * granted) * 4000, seats: [next['session_id']] })
    expect([...books!.leased[0]!]).toEqual([1])
  }
})

test('200 concurrent runs with one period left grant exactly one period', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { trackId } = await makeTrack(db, { durationS: 3600 })
  for (let round = 0; round < 5; round++) {
    const { userId, familyId } = await makeUser(db, { plan: 'premium', dailyLimitS: 8 })
    const { session_id } = await meter.start(userId, familyId, trackId, NOON)
    const rows = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        meter.lease(session_id, userId, trackId, 3 * index + 1, NOON, 3),
      ),
    )
    expect(tally(rows)).toEqual({ granted: 1, exhausted: 199 })
    expect(rows.find(({ outcome }) => outcome === 'granted')).toMatchObject({
      count: 1,
      used_ms: 8000,
    })
  }
})

test('runs that overlap debit each period once, whoever comes first', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { trackId } = await makeTrack(db)
  for (let round = 0; round < 5; round++) {
    const { userId, familyId } = await makeUser(db, { plan: 'premium' })
    const { session_id } = await meter.start(userId, familyId, trackId, NOON)
    const rows = await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        meter.lease(session_id, userId, trackId, (index * 7) % 30, NOON, 1 + (index % 3)),
      ),
    )
    expect(tally(rows)).toEqual({ granted: 120 })
    const charged = rows.reduce((sum, row) => sum + Number(row['charged_ms']), 0)
    const asked = new Set(
      rows.flatMap((_, index) =>
        Array.from({ length: 1 + (index % 3) }, (__, nth) => ((index * 7) % 30) + nth),
      ),
    )
    asked.delete(0)
    expect(charged).toBe(asked.size * 4000)
    const [books] = await db.select().from(meters).where(eq(meters.userId, userId))
    expect(books?.usedMs).toBe((asked.size + 1) * 4000)
  }
})

test('however many devices start at once, three have a seat, of two sessions each', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const tracks = await Promise.all(Array.from({ length: 4 }, () => makeTrack(db)))
  const { userId } = await makeUser(db, { plan: 'premium' })
  const families = await Promise.all(Array.from({ length: 6 }, () => makeFamily(db, userId)))
  const rows = await Promise.all(
    families.flatMap((family, index) =>
      tracks.map(({ trackId }) =>
        meter.start(userId, family, trackId, new Date(NOON.getTime() + index)),
      ),
    ),
  )
  expect(tally(rows)).toEqual({ started: 24 })
  const live = await db
    .select({ family: listeningSessions.familyId, seat: listeningSessions.seat })
    .from(listeningSessions)
    .where(sql`user_id = ${userId} and ended_at is null`)
  const byFamily = Map.groupBy(live, ({ family }) => family)
  expect(byFamily.size).toBeLessThanOrEqual(3)
  for (const sessions of byFamily.values()) expect(sessions.length).toBeLessThanOrEqual(2)
  // No two at one place.
  expect(new Set(live.map(({ seat }) => seat)).size).toBe(live.length)
  expect(Math.max(...live.map(({ seat }) => seat))).toBeLessThanOrEqual(6)
})

test('no lease is granted after an auth session was revoked or an account blocked', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { trackId } = await makeTrack(db, { durationS: 3600 })
  for (let round = 0; round < 30; round++) {
    const { userId, familyId } = await makeUser(db, { plan: 'premium' })
    const phone = await makeFamily(db, userId)
    const isRevoked = round % 2 === 0
    const end = isRevoked
      ? sql`update refresh_families set revoked_at = ${NOON.toISOString()} where id = ${familyId}`
      : sql`update users set blocked_at = ${NOON.toISOString()} where id = ${userId}`
    // Starts that race with the end: whichever came first, nothing is open afterwards.
    const start = (family: typeof familyId) => meter.start(userId, family, trackId, NOON)
    const [here, , there] = await Promise.all([start(familyId), db.execute(end), start(phone)])
    const outcomeOf = async ({ session_id }: typeof here) =>
      session_id === null ? null : (await meter.lease(session_id, userId, trackId, 1, NOON)).outcome
    expect([isRevoked ? 'signed-out' : 'blocked', null]).toContain(await outcomeOf(here))
    // Another device of the same listener goes on, unless it is the account that is blocked.
    expect(isRevoked ? ['granted'] : ['blocked', null]).toContain(await outcomeOf(there))
  }
})

test('100 concurrent starts of one auth session on one track make one listening session and one charge', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const rows = await Promise.all(
    Array.from({ length: 100 }, () => meter.start(userId, familyId, trackId, NOON)),
  )
  expect(tally(rows)).toEqual({ started: 1, resumed: 99 })
  expect(new Set(rows.map((row) => row['session_id'])).size).toBe(1)
  const [usage] = await db.select().from(meters).where(eq(meters.userId, userId))
  expect(usage?.usedMs).toBe(4000)
})

test('at midnight UTC each lease is charged to its own day, and the two days add up', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const { trackId } = await makeTrack(db, { durationS: 500 })
  const border = Date.parse('2026-01-02T00:00:00Z')
  const { session_id } = await meter.start(userId, familyId, trackId, new Date(border - 60_000))
  const periods = Array.from({ length: 30 }, (_, index) => index + 1)
  const rows = await Promise.all(
    periods.map((period) =>
      meter.lease(session_id, userId, trackId, period, new Date(border + (period % 2 ? -1 : 1))),
    ),
  )
  expect(tally(rows)).toEqual({ granted: 30 })
  // Fifteen leases each side, in whatever order they came; the start is on the old day.
  const [books] = await db.select().from(meters).where(eq(meters.userId, userId))
  expect(books).toMatchObject({
    day: '2026-01-02',
    usedMs: 15 * 4000,
    dayBeforeMs: 16 * 4000,
  })
})

test('leases, heartbeats and starts of one listener at once end without a deadlock', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const tracks = await Promise.all([1, 2, 3].map(() => makeTrack(db, { durationS: 100 })))
  const { session_id } = await meter.start(userId, familyId, tracks[0]!.trackId, NOON)
  const rows = await Promise.all(
    Array.from({ length: 150 }, (_, index) => {
      const now = new Date(NOON.getTime() + index)
      if (index % 3 === 0) return meter.start(userId, familyId, tracks[index % 2]!.trackId, now)
      if (index % 3 === 1) return meter.listen(session_id, userId, 5, false, now)
      return meter.lease(session_id, userId, tracks[0]!.trackId, index % 9, now)
    }),
  )
  expect(rows).toHaveLength(150)
  expect(Object.keys(tally(rows)).sort()).toEqual(
    expect.arrayContaining(['granted', 'recorded', 'resumed']),
  )
})
