import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { durationMs, periodChargeMs, periodCount } from './contract/key-periods.ts'
import { SESSION_IDLE_S, SESSION_RENEW_S } from './contract/plans.ts'
import {
  makeFamily,
  makeMeterCalls,
  makeTestDatabase,
  makeTrack as makeAnyTrack,
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

/** As versions of before have it, three segments to a key; meter-grain.test.ts has the others. */
const makeTrack = (to: TestDatabase, options: Parameters<typeof makeAnyTrack>[1] = {}) =>
  makeAnyTrack(to, { segmentsPerPeriod: 3, ...options })

const NOON = new Date('2026-01-01T12:00:00Z')
const after = (seconds: number) => new Date(NOON.getTime() + seconds * 1000)

type Row = Record<string, unknown>

test('starting a session leases the first period and charges it once', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const started = await start(userId, familyId, trackId, NOON)
  expect(started).toMatchObject({ outcome: 'started', period: 0, plan: 'free', limit_ms: 300_000 })
  expect(started['used_ms']).toBe(12_000)
  expect(started['renditions']).toHaveLength(3)
  const resumed = await start(userId, familyId, trackId, after(5))
  expect(resumed).toMatchObject({
    outcome: 'resumed',
    session_id: started['session_id'],
    used_ms: 12_000,
  })
})

test('a lease of the same period again is granted and costs nothing', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  expect(await lease(session_id, userId, trackId, 1, after(8))).toMatchObject({
    outcome: 'granted',
    charged_ms: 12_000,
  })
  expect(await lease(session_id, userId, trackId, 1, after(9))).toMatchObject({
    outcome: 'granted',
    charged_ms: 0,
  })
})

test('another sign-in supersedes the session of a free listener', async () => {
  const { userId, familyId } = await makeUser(db)
  const phone = await makeFamily(db, userId)
  const { trackId } = await makeTrack(db)
  const first = await start(userId, familyId, trackId, NOON)
  const second = await start(userId, phone, trackId, after(1))
  expect(second['outcome']).toBe('started')
  expect(await lease(first['session_id'], userId, trackId, 1, after(2))).toMatchObject({
    outcome: 'superseded',
  })
})

test('premium keeps the sessions of three devices and no more', async () => {
  const { userId } = await makeUser(db, { plan: 'premium' })
  const { trackId } = await makeTrack(db)
  const sessions: Row[] = []
  for (let device = 0; device < 4; device++) {
    sessions.push(await start(userId, await makeFamily(db, userId), trackId, after(device)))
  }
  const outcomes = []
  for (const session of sessions) {
    outcomes.push((await lease(session['session_id'], userId, trackId, 1, after(10)))['outcome'])
  }
  expect(outcomes).toEqual(['superseded', 'granted', 'granted', 'granted'])
})

test('the budget is granted while anything remains and refused after', async () => {
  const { userId, familyId } = await makeUser(db, { dailyLimitS: 13 })
  const { trackId } = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  expect(await lease(session_id, userId, trackId, 1, after(10))).toMatchObject({
    outcome: 'granted',
  })
  expect(await lease(session_id, userId, trackId, 2, after(20))).toMatchObject({
    outcome: 'exhausted',
    charged_ms: 0,
  })
  expect(await lease(session_id, userId, trackId, 0, after(21))).toMatchObject({
    outcome: 'granted',
  })
  expect(await lease(session_id, userId, trackId, 2, after(12 * 3600 + 1))).toMatchObject({
    outcome: 'ended',
  })
})

test('a budget used to the last millisecond is used up', async () => {
  const { userId, familyId } = await makeUser(db, { dailyLimitS: 20 })
  const { trackId } = await makeTrack(db, { durationS: 20 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  expect(await lease(session_id, userId, trackId, 1, after(9))).toMatchObject({ used_ms: 20_000 })
  await listen(session_id, userId, 20, true, after(21))
  expect(await start(userId, familyId, trackId, after(22))).toMatchObject({ outcome: 'exhausted' })
})

test('the pace lets a listener burst and then holds to 1.25 times real time', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 280 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  // Fifteen periods of 12 s fit into the 180 s bucket; the sixteenth does not.
  for (let period = 1; period < 15; period++) {
    expect(await lease(session_id, userId, trackId, period, NOON)).toMatchObject({
      outcome: 'granted',
    })
  }
  const refused = await lease(session_id, userId, trackId, 15, NOON)
  expect(refused['outcome']).toBe('too-early')
  const wait = Number(refused['retry_after_s'])
  expect(wait).toBeCloseTo(12 / 1.25, 3)
  expect(await lease(session_id, userId, trackId, 15, after(wait - 0.1))).toMatchObject({
    outcome: 'too-early',
  })
  expect(await lease(session_id, userId, trackId, 15, after(wait + 0.01))).toMatchObject({
    outcome: 'granted',
  })
})

test('a lease outside the track, of another track or of another user is refused', async () => {
  const { userId, familyId } = await makeUser(db)
  const stranger = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 20 })
  const other = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  expect((await lease(session_id, userId, trackId, 2, after(1)))['outcome']).toBe('no-period')
  expect((await lease(session_id, userId, trackId, -1, after(1)))['outcome']).toBe('no-period')
  expect((await lease(session_id, userId, other.trackId, 1, after(1)))['outcome']).toBe(
    'wrong-track',
  )
  expect((await lease(session_id, stranger.userId, trackId, 1, after(1)))['outcome']).toBe(
    'no-session',
  )
})

test('what is changed about an account, and be it by hand, holds from the next lease on', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  const change = (what: ReturnType<typeof sql>) =>
    db.execute(sql`update users set ${what} where id = ${userId}`)

  await change(sql`daily_limit_s = 12`)
  expect(await lease(session_id, userId, trackId, 1, NOON)).toMatchObject({ outcome: 'exhausted' })
  await change(sql`daily_limit_s = null, plan = 'premium'`)
  // More than the 180 s that the free plan gives at once.
  for (let period = 1; period < 15; period++)
    expect((await lease(session_id, userId, trackId, period, NOON))['outcome']).toBe('granted')
  await change(sql`blocked_at = ${NOON.toISOString()}`)
  expect(await lease(session_id, userId, trackId, 1, NOON)).toMatchObject({ outcome: 'blocked' })
  expect(await listen(session_id, userId, 1, false, NOON)).toMatchObject({ outcome: 'blocked' })
  expect(await start(userId, familyId, trackId, NOON)).toMatchObject({ outcome: 'blocked' })
  await change(sql`blocked_at = null`)
  expect(await lease(session_id, userId, trackId, 1, NOON)).toMatchObject({ outcome: 'granted' })
})

test('revoking a sign-in ends its listening, and nobody else’s', async () => {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const phone = await makeFamily(db, userId)
  const { trackId } = await makeTrack(db)
  const here = await start(userId, familyId, trackId, NOON)
  const there = await start(userId, phone, trackId, after(1))
  await db.execute(
    sql`update refresh_families set revoked_at = ${NOON.toISOString()} where id = ${phone}`,
  )
  expect((await lease(there['session_id'], userId, trackId, 1, after(2)))['outcome']).toBe(
    'signed-out',
  )
  expect((await listen(there['session_id'], userId, 1, false, after(2)))['outcome']).toBe(
    'signed-out',
  )
  expect((await start(userId, phone, trackId, after(2)))['outcome']).toBe('signed-out')
  expect((await lease(here['session_id'], userId, trackId, 1, after(2)))['outcome']).toBe('granted')
})

test('a session that leases lives on, with heartbeats or without', async () => {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const { trackId } = await makeTrack(db, { durationS: 7200 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  // One lease every twenty minutes: each falls within the half hour, all of them far beyond it.
  for (let period = 1; period < 7; period++)
    expect(
      (await lease(session_id, userId, trackId, period, after(period * 1200)))['outcome'],
    ).toBe('granted')
  expect((await lease(session_id, userId, trackId, 7, after(7200 + 1801)))['outcome']).toBe('ended')
})

test('a lease makes a session live longer when five minutes of its half hour are over', async () => {
  const { trackId } = await makeTrack(db)
  const lived = SESSION_IDLE_S - SESSION_RENEW_S
  for (const [leasedAfterS, outcome] of [
    [lived - 1, 'ended'],
    [lived, 'granted'],
  ] as const) {
    const { userId, familyId } = await makeUser(db)
    const { session_id } = await start(userId, familyId, trackId, NOON)
    await lease(session_id, userId, trackId, 1, after(leasedAfterS))
    expect(await lease(session_id, userId, trackId, 2, after(SESSION_IDLE_S))).toMatchObject({
      outcome,
    })
  }
})

test('a place is free again when its session ends, and remembers nothing of it', async () => {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const [first, second] = [await makeTrack(db), await makeTrack(db)]
  const one = await start(userId, familyId, first.trackId, NOON)
  await lease(one['session_id'], userId, first.trackId, 1, NOON)
  await listen(one['session_id'], userId, 1, true, after(1))
  const two = await start(userId, familyId, second.trackId, after(2))
  const { rows } = await db.execute(sql`select seats from meters where user_id = ${userId}`)
  expect(rows).toEqual([{ seats: [two['session_id']] }])
  expect(await lease(two['session_id'], userId, second.trackId, 1, after(2))).toMatchObject({
    outcome: 'granted',
    charged_ms: 12_000,
  })
})

test('a play counts once after thirty seconds, and completing is idempotent', async () => {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const { trackId } = await makeTrack(db, { durationS: 60 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  for (let period = 1; period < 5; period++)
    await lease(session_id, userId, trackId, period, after(1))
  expect(await listen(session_id, userId, 50, false, after(10))).toMatchObject({
    outcome: 'recorded',
    heard_s: 10,
    counted: false,
  })
  expect(await listen(session_id, userId, 55, false, after(40))).toMatchObject({ heard_s: 15 })
  expect(await listen(session_id, userId, 20, false, after(41))).toMatchObject({
    outcome: 'recorded',
    heard_s: 15,
  })
})

test('positions beyond the track or beyond what was leased are refused', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 60 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  expect((await listen(session_id, userId, 62, false, after(70)))['outcome']).toBe('beyond-track')
  expect((await listen(session_id, userId, 30, false, after(70)))['outcome']).toBe('not-leased')
})

test('a whole listen counts one play and one completion', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 40 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  for (let period = 1; period < 4; period++)
    await lease(session_id, userId, trackId, period, after(period * 10))
  expect(await listen(session_id, userId, 25, false, after(25))).toMatchObject({
    counted: true,
    heard_s: 25,
  })
  expect(await listen(session_id, userId, 40, true, after(40))).toMatchObject({
    counted: true,
    heard_s: 40,
  })
  expect(await listen(session_id, userId, 40, true, after(41))).toMatchObject({
    outcome: 'recorded',
    counted: true,
    heard_s: 40,
  })
  const totals = await db.execute(
    sql`select plays, completions from track_totals where track_id = ${trackId}`,
  )
  expect(totals.rows).toEqual([{ plays: 1, completions: 1 }])
})

test('periods in SQL are the periods of the contract, and add up to the track', async () => {
  for (const sampleRate of [22_050, 32_000, 44_100, 48_000]) {
    const around = [4, 8, 12, 24, 36].flatMap((seconds) =>
      [-1023, -25, -22, 0, 1, 22, 23, 1024, 2000, 2400, 2401, 5000].map(
        (samples) => seconds * sampleRate + samples,
      ),
    )
    const counts = [1, 1023, 529_408, 529_409, 8_000_000, 27_345_678, ...around]
    const { rows } = await db.execute(sql`
      select n as samples, per, period_count(${sampleRate}, n, per) as periods,
        array(select period_charge_ms(p, round(n * 1000.0 / ${sampleRate})::bigint, 4000 * per)
              from generate_series(0, period_count(${sampleRate}, n, per)) p) as charges
      from unnest(array[${sql.join(counts, sql`, `)}]::bigint[]) n, unnest(array[1, 3]) per`)
    for (const row of rows as {
      samples: string
      per: number
      periods: number
      charges: number[]
    }[]) {
      const timing = { sampleRate, sampleCount: Number(row.samples), primingSamples: 1024 }
      expect(row.periods).toBe(periodCount(timing, row.per))
      expect(row.charges).toEqual(
        row.charges.map((_, period) => periodChargeMs(timing, period, row.per)),
      )
      expect(row.charges.reduce((sum, charge) => sum + charge, 0)).toBe(durationMs(timing))
      // Behind the last period there is nothing to pay for.
      expect(row.charges.at(-1)).toBe(0)
    }
  }
})

test('what costs nothing is granted when the budget is spent to the last millisecond', async () => {
  const { userId, familyId } = await makeUser(db, { dailyLimitS: 12 })
  const { trackId } = await makeTrack(db, { durationS: 12 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  // As a session from before the rule about a last piece too short to stand alone has it.
  await db.execute(sql`update listening_sessions set period_count = 2 where id = ${session_id}`)
  expect(await lease(session_id, userId, trackId, 1, after(9))).toMatchObject({
    outcome: 'granted',
    charged_ms: 0,
    used_ms: 12_000,
  })
  // A period that was paid for costs nothing again, either.
  expect(await start(userId, familyId, trackId, after(10))).toMatchObject({
    outcome: 'resumed',
    period: 0,
    used_ms: 12_000,
  })
  // It opens nothing else: a stranger's, a dead session's or a blocked account's.
  await db.execute(sql`update users set blocked_at = now() where id = ${userId}`)
  expect(await lease(session_id, userId, trackId, 1, after(11))).toMatchObject({
    outcome: 'blocked',
  })
})

const DAY_S = 24 * 3600

test.each([10, 365, 3])(
  'a clock once %i days ahead takes nothing from its listener',
  async (days) => {
    const { userId, familyId } = await makeUser(db, { dailyLimitS: 60 })
    const { trackId } = await makeTrack(db, { durationS: 3600 })
    const { session_id } = await start(userId, familyId, trackId, NOON)
    await lease(session_id, userId, trackId, 1, after(12))
    const ahead = await start(userId, familyId, trackId, after(days * DAY_S))
    expect(ahead['outcome']).toBe('started')
    await lease(ahead['session_id'], userId, trackId, 1, after(days * DAY_S))

    // Back to the right clock: no wait, and of today just what was used today.
    const back = ahead['session_id']
    expect(await lease(back, userId, trackId, 2, after(24))).toMatchObject({ used_ms: 36_000 })
    expect(await lease(back, userId, trackId, 3, after(36))).toMatchObject({ used_ms: 48_000 })
    expect(await lease(back, userId, trackId, 4, after(48))).toMatchObject({ used_ms: 60_000 })
    expect(await lease(back, userId, trackId, 5, after(60))).toMatchObject({ outcome: 'exhausted' })
    // Each of the days until then has its own budget, and the one that was borrowed from has what is left.
    for (let day = 1; day <= Math.min(days, 11); day++) {
      const started = await start(userId, familyId, trackId, after(day * DAY_S + 60))
      expect(started).toMatchObject({ outcome: 'started', used_ms: day === days ? 36_000 : 12_000 })
    }
  },
)

test('a clock ahead that crosses its own midnight costs its listener one day at most', async () => {
  const { userId, familyId } = await makeUser(db, { dailyLimitS: 12 })
  const { trackId } = await makeTrack(db)
  const other = await makeTrack(db)
  for (const day of [10, 11])
    expect((await start(userId, familyId, other.trackId, after(day * DAY_S)))['outcome']).toBe(
      'started',
    )
  expect((await start(userId, familyId, trackId, NOON))['outcome']).toBe('exhausted')
  for (const day of [1, 2, 3])
    expect(await start(userId, familyId, trackId, after(day * DAY_S + 2))).toMatchObject({
      outcome: 'started',
      used_ms: 12_000,
    })
})

test.each([10, 365, 2])(
  'a clock once %i days behind gives its listener no budget and no pace',
  async (days) => {
    const { userId, familyId } = await makeUser(db, { dailyLimitS: 24 })
    const { trackId } = await makeTrack(db, { durationS: 3600 })
    await start(userId, familyId, trackId, after(-DAY_S))
    const { session_id } = await start(userId, familyId, trackId, NOON)
    await lease(session_id, userId, trackId, 1, NOON)
    // The day before has twelve seconds left, and they are all there is to be had.
    expect(await lease(session_id, userId, trackId, 2, after(-days * DAY_S))).toMatchObject({
      outcome: 'granted',
    })
    expect(await lease(session_id, userId, trackId, 3, after(-days * DAY_S))).toMatchObject({
      outcome: 'exhausted',
    })
    // The session goes on, and today is used up as it was.
    expect(await lease(session_id, userId, trackId, 3, after(1))).toMatchObject({
      outcome: 'exhausted',
      used_ms: 24_000,
    })
  },
)

test('a clock behind does not refill the pace of the right one', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 280 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  for (let period = 1; period < 14; period++) await lease(session_id, userId, trackId, period, NOON)
  expect(await lease(session_id, userId, trackId, 14, after(-864_000))).toMatchObject({
    outcome: 'granted',
  })
  for (const at of [0, -864_000, 1, -864_001, 2])
    expect(await lease(session_id, userId, trackId, 15, after(at))).toMatchObject({
      outcome: 'too-early',
    })
})

test('a session that a clock ahead has started dies half an hour after it was last heard', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 280 })
  const { session_id } = await start(userId, familyId, trackId, after(365 * DAY_S))
  expect(await lease(session_id, userId, trackId, 1, NOON)).toMatchObject({ outcome: 'granted' })
  expect(await listen(session_id, userId, 10, false, after(10))).toMatchObject({ heard_s: 10 })
  expect(await lease(session_id, userId, trackId, 2, after(1800))).toMatchObject({
    outcome: 'granted',
  })
  expect(await listen(session_id, userId, 11, false, after(1800 + 1801))).toMatchObject({
    outcome: 'ended',
  })
  expect(await lease(session_id, userId, trackId, 1, after(1800 + 1801))).toMatchObject({
    outcome: 'ended',
  })
  expect(await start(userId, familyId, trackId, after(1800 + 1801))).toMatchObject({
    outcome: 'started',
  })
})

test('a heartbeat or a lease by a clock behind leaves a session alive', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 280 })
  const { session_id } = await start(userId, familyId, trackId, NOON)
  expect(await listen(session_id, userId, 1, false, after(-864_000))).toMatchObject({
    outcome: 'recorded',
  })
  expect(await lease(session_id, userId, trackId, 1, after(-864_000))).toMatchObject({
    outcome: 'granted',
  })
  expect(await listen(session_id, userId, 12, false, after(12))).toMatchObject({ heard_s: 11 })
  expect(await lease(session_id, userId, trackId, 2, after(24))).toMatchObject({
    outcome: 'granted',
  })
})
