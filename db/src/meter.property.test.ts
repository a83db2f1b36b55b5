import { eq, sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FamilyId, TrackId, UserId } from './contract/ids.ts'
import { periodChargeMs, periodCount } from './contract/key-periods.ts'
import { DEFAULT_PLAN, type PlanId } from './contract/plans.ts'
import { plans, refreshFamilies, users } from './schema/index.ts'
import {
  makeFamily,
  makeMeterCalls,
  makeMeterModel,
  makeTestDatabase,
  makeTrack,
  makeUser,
  readPlans,
  type ModelTrack,
  type TestDatabase,
} from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
let plansById: Awaited<ReturnType<typeof readPlans>>
/** Of new versions, and of one of before. */
const MODEL_TRACKS = [
  { durationS: 25, segmentsPerPeriod: 1 },
  { durationS: 100, segmentsPerPeriod: 3 },
  { durationS: 400, segmentsPerPeriod: 1 },
]
const modelTracks = MODEL_TRACKS.map(({ durationS, segmentsPerPeriod }): ModelTrack => ({
  timing: { sampleRate: 44_100, sampleCount: durationS * 44_100, primingSamples: 1024 },
  segmentsPerPeriod,
}))
const tracks: TrackId[] = []

beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  plansById = await readPlans(db)
  for (const track of MODEL_TRACKS) tracks.push((await makeTrack(db, track)).trackId)
}, 60_000)
afterAll(() => close())

/** Late in the evening, so that runs cross midnight. */
const EVENING = Date.parse('2026-03-01T23:50:00Z')
const LONGEST_PERIOD_MS = 12_000
/** More than any track of the model has. */
const PERIODS = 101

type Step =
  | { do: 'start'; family: number; track: number }
  | { do: 'lease'; session: number; period: number; count: number; times: number }
  | { do: 'binge'; session: number; periods: number }
  | { do: 'listen'; session: number; positionS: number; complete: boolean }
  | { do: 'pass'; ms: number }
  | { do: 'plan'; plan: PlanId }
  | { do: 'terms'; dailyMs: number }
  | { do: 'sign-out'; family: number }

const nth = fc.nat({ max: 30 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      family: fc.nat({ max: 2 }),
      track: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('lease' as const),
      session: nth,
      period: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: -1, max: PERIODS })),
      count: fc.integer({ min: 1, max: 3 }),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('binge' as const),
      session: nth,
      periods: fc.integer({ min: 2, max: 50 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('listen' as const),
      session: nth,
      positionS: fc.double({ min: 0, max: 400, noNaN: true }),
      complete: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.oneof(fc.nat({ max: 20_000 }), fc.nat({ max: 2_000_000 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('plan' as const),
      plan: fc.constantFrom<PlanId>('free', 'premium'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('terms' as const),
      dailyMs: fc.constantFrom(30_000, 120_000, 600_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sign-out' as const), family: fc.nat({ max: 2 }) }),
  },
)

/**
 * An evening that meets every answer a lease can give, in front of the random ones: some answers
 * need so many steps in one order that a hundred random runs may go without them.
 */
const EVERY_ANSWER: Step[] = [
  { do: 'start', family: 0, track: 2 },
  // Past the end; then as fast as it can, until the pace says no.
  { do: 'lease', session: 0, period: 100, count: 3, times: 1 },
  { do: 'binge', session: 0, periods: 100 },
  // Another device takes over, hears its track to the end, and its session is over.
  { do: 'pass', ms: 150_000 },
  { do: 'start', family: 1, track: 1 },
  { do: 'lease', session: 0, period: 0, count: 1, times: 1 },
  { do: 'binge', session: 1, periods: 9 },
  { do: 'pass', ms: 100_000 },
  { do: 'listen', session: 1, positionS: 100, complete: true },
  { do: 'lease', session: 1, period: 0, count: 2, times: 1 },
  // A third one meets the end of the budget, and signs out.
  { do: 'start', family: 2, track: 0 },
  { do: 'binge', session: 2, periods: 7 },
  { do: 'sign-out', family: 2 },
  { do: 'lease', session: 2, period: 0, count: 3, times: 2 },
]

/** Which answers the runs have met, so that a step which no longer leads to one is noticed. */
const outcomesSeen = new Set<string>()

/** Runs the steps on the model and on the database side by side. */
async function runSteps(steps: Step[], dailyLimitS: number | null): Promise<void> {
  const { userId, familyId } = await makeUser(db, { dailyLimitS })
  const families: FamilyId[] = [
    familyId,
    await makeFamily(db, userId),
    await makeFamily(db, userId),
  ]
  const model = makeMeterModel(modelTracks, new Map(plansById), EVENING, dailyLimitS)
  const meter = makeMeterCalls(db)
  const sessionIds: unknown[] = []
  const freeDailyMs = plansById.get(DEFAULT_PLAN)!.dailyMs!
  let mostS = dailyLimitS ?? freeDailyMs / 1000
  /** What the answers said was charged, milliseconds. */
  let chargedMs = 0

  async function leaseBoth(session: number, period: number, count = 1): Promise<void> {
    const track = tracks[model.sessions()[session]!.track]!
    const want = model.lease(session, period, count)
    const got = await meter.lease(sessionIds[session], userId, track, period, model.now(), count)
    outcomesSeen.add(want.outcome)
    expect(got.outcome).toBe(want.outcome)
    expect(got['count'] ?? undefined).toBe(want.count)
    chargedMs += Number(got['charged_ms'])
    if (want.usedMs !== undefined) expect(Number(got['used_ms'])).toBe(want.usedMs)
  }

  for (const act of steps) {
    switch (act.do) {
      case 'start': {
        const want = model.start(act.family, act.track)
        const got = await meter.start(
          userId,
          families[act.family]!,
          tracks[act.track]!,
          model.now(),
        )
        expect(got.outcome).toBe(want.outcome)
        if (want.outcome === 'started') {
          sessionIds.push(got['session_id'])
          const { timing, segmentsPerPeriod } = modelTracks[act.track]!
          chargedMs += periodChargeMs(timing, 0, segmentsPerPeriod)
        }
        if (want.session !== undefined) expect(got['session_id']).toBe(sessionIds[want.session])
        if (want.usedMs !== undefined) expect(Number(got['used_ms'])).toBe(want.usedMs)
        break
      }
      case 'lease': {
        if (sessionIds.length === 0) break
        const session = act.session % sessionIds.length
        for (let time = 0; time < act.times; time++) await leaseBoth(session, act.period, act.count)
        break
      }
      case 'binge': {
        if (sessionIds.length === 0) break
        const session = act.session % sessionIds.length
        for (let period = 0; period < act.periods; period++) await leaseBoth(session, period)
        break
      }
      case 'listen': {
        if (sessionIds.length === 0) break
        const session = act.session % sessionIds.length
        const got = await meter.listen(
          sessionIds[session],
          userId,
          act.positionS,
          act.complete,
          model.now(),
        )
        if (got.outcome === 'recorded') {
          if (act.complete) model.complete(session)
          else model.heartbeat(session)
          expect(got['heard_s']).toBeGreaterThanOrEqual(0)
        }
        break
      }
      case 'pass':
        model.pass(act.ms)
        break
      case 'plan':
        if (act.plan === 'premium' && dailyLimitS === null) mostS = Number.POSITIVE_INFINITY
        model.setPlan(act.plan)
        await db.update(users).set({ plan: act.plan }).where(eq(users.id, userId))
        break
      case 'terms':
        if (dailyLimitS === null) mostS = Math.max(mostS, act.dailyMs / 1000)
        model.setTerms(DEFAULT_PLAN, { dailyMs: act.dailyMs })
        await setDailyMs(act.dailyMs)
        break
      case 'sign-out':
        model.signOut(act.family)
        await db
          .update(refreshFamilies)
          .set({ revokedAt: model.now(), revokedReason: 'logout' })
          .where(eq(refreshFamilies.id, families[act.family]!))
        break
    }
  }
  await setDailyMs(freeDailyMs)
  await expectBooksBalance(userId, model.usedByDay(), mostS, chargedMs)
  const live = model.sessions().filter(({ endReason }) => endReason === null)
  expect(await leasedByLive(userId)).toEqual(
    new Map(live.map(({ id, leased }) => [sessionIds[id], [...leased].sort((a, b) => a - b)])),
  )
}

/** Changes the free plan, and lets the change reach everybody. */
async function setDailyMs(dailyMs: number): Promise<void> {
  await db.update(plans).set({ dailyMs }).where(eq(plans.id, DEFAULT_PLAN))
  await db.execute(sql`select refresh_meters(100000)`)
}

/** What must be true of the books whatever happened. */
async function expectBooksBalance(
  userId: UserId,
  want: Map<string, number>,
  mostS: number,
  chargedMs: number,
): Promise<void> {
  const { rows } = await db.execute(sql`
    select day::text as day, (day - 1)::text as before, used_ms::float8 as used, day_before_ms::float8 as used_before,
      level_ms as level
    from meters where user_id = ${userId}`)
  const [found] = rows as Record<'used' | 'used_before' | 'level', number>[] &
    Record<'day' | 'before', string>[]
  const books = found!
  const allUsed = [...want.values()].reduce((sum, ms) => sum + ms, 0)
  expect(chargedMs).toBe(allUsed)
  for (const used of want.values()) expect(used).toBeLessThan(mostS * 1000 + LONGEST_PERIOD_MS)
  expect(books.used).toBe(want.get(books.day) ?? 0)
  expect(books.used_before).toBe(want.get(books.before) ?? 0)
  expect(books.level).toBeGreaterThanOrEqual(0)
  expect(books.level).toBeLessThanOrEqual(plansById.get('premium')!.paceDepthMs)
}

/** By session that nobody ended, the periods that the meter remembers it has paid for. */
async function leasedByLive(userId: UserId): Promise<Map<unknown, number[]>> {
  const { rows } = await db.execute(sql`
    select s.id, array(
      select p from generate_series(0, s.period_count - 1) p where has_leased(m.leased[s.seat], p) order by p
    ) as periods, last_leased(m.leased[s.seat]) as last
    from listening_sessions s join meters m on m.user_id = s.user_id and m.seats[s.seat] = s.id
    where s.user_id = ${userId} and s.ended_at is null`)
  const sessions = rows as { id: unknown; periods: number[]; last: number }[]
  for (const { periods, last } of sessions) expect(periods.at(-1)).toBe(last)
  return new Map(sessions.map(({ id, periods }) => [id, periods]))
}

test('whatever a listener does, in whatever order, the meter does what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 80 }),
      fc.constantFrom(null, null, 25, 60, 2000),
      runSteps,
    ),
    {
      numRuns: 150,
      examples: [[EVERY_ANSWER, null]],
    },
  )
  expect([...outcomesSeen].sort()).toEqual([
    'ended',
    'exhausted',
    'granted',
    'no-period',
    'signed-out',
    'superseded',
    'too-early',
  ])
}, 120_000)

test('an honest listener is charged for the seconds released, once each', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          period: fc.nat({ max: 8 }),
          retries: fc.nat({ max: 3 }),
          reload: fc.boolean(),
        }),
        { minLength: 1, maxLength: 15 },
      ),
      async (visits) => {
        const { userId, familyId } = await makeUser(db)
        const meter = makeMeterCalls(db)
        const clock = makeMeterModel(modelTracks, plansById, EVENING - 3_600_000)
        const { session_id } = await meter.start(userId, familyId, tracks[1]!, clock.now())
        const released = new Set([0])
        let usedMs = 0
        for (const { period, retries, reload } of visits) {
          clock.pass(10_000)
          if (reload)
            expect((await meter.start(userId, familyId, tracks[1]!, clock.now())).outcome).toBe(
              'resumed',
            )
          for (let time = 0; time <= retries; time++) {
            const row = await meter.lease(session_id, userId, tracks[1]!, period, clock.now())
            expect(row.outcome).toBe('granted')
            usedMs = Number(row['used_ms'])
          }
          released.add(period)
        }
        expect(usedMs).toBeLessThanOrEqual(released.size * LONGEST_PERIOD_MS)
        expect(usedMs).toBeLessThanOrEqual(MODEL_TRACKS[1]!.durationS * 1000)
      },
    ),
    { numRuns: 30 },
  )
}, 120_000)

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

test('one machine whose clock is wrong takes nothing from a listener, and gives little away', async () => {
  const asks = fc.array(
    fc.record({
      isWrong: fc.boolean(),
      start: fc.boolean(),
      period: fc.nat({ max: 33 }),
      // Mostly while listening, sometimes after a night.
      passMs: fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 20_000 }) }, fc.constant(DAY_MS / 2)),
    }),
    { minLength: 10, maxLength: 60 },
  )
  const offsets = [1, 10, 365].flatMap((days) => [days * DAY_MS, -days * DAY_MS])
  await fc.assert(
    fc.asyncProperty(
      asks,
      fc.constantFrom(...offsets, 10 * MINUTE_MS, -10 * MINUTE_MS, 90 * MINUTE_MS),
      async (steps, offsetMs) => {
        const { userId, familyId } = await makeUser(db)
        const meter = makeMeterCalls(db)
        let nowMs = EVENING
        let session: unknown = null
        /** Milliseconds that each real day's right clock was charged for. */
        const charged = new Map<string, number>()
        let paceMs = 0
        let since = nowMs
        for (const { isWrong, start, period, passMs } of steps) {
          nowMs += passMs
          if (passMs > DAY_MS / 4) {
            since = nowMs
            paceMs = 0
          }
          const now = new Date(nowMs + (isWrong ? offsetMs : 0))
          const isStart = start || session === null
          const row = isStart
            ? await meter.start(userId, familyId, tracks[2]!, now, period * 4)
            : await meter.lease(session, userId, tracks[2]!, period, now)
          if (row['session_id']) session = row['session_id']
          const chargedMs = row.outcome === 'started' ? 4000 : Number(row['charged_ms'] ?? 0)
          if (row.outcome === 'granted' || row.outcome === 'started') paceMs += chargedMs
          if (isWrong) continue

          const day = now.toISOString().slice(0, 10)
          charged.set(day, (charged.get(day) ?? 0) + chargedMs)
          expect(charged.get(day)).toBeLessThanOrEqual(plansById.get(DEFAULT_PLAN)!.dailyMs! + 4000)
          // Never a wait longer than one period takes to refill.
          if (row.outcome === 'too-early')
            expect(Number(row['retry_after_s'])).toBeLessThanOrEqual(4 / 1.25)
        }
        // Two bursts and two clocks; without a wrong one it would be one of each.
        expect(paceMs).toBeLessThanOrEqual(
          2 * plansById.get(DEFAULT_PLAN)!.paceDepthMs +
            2 * 1.25 * (nowMs - since) +
            LONGEST_PERIOD_MS,
        )
        // A week on, all is as if the wrong one had never been.
        nowMs += 7 * DAY_MS
        for (const index of [0, 1, 2]) {
          const at = new Date(nowMs + index * DAY_MS)
          expect((await meter.start(userId, familyId, tracks[1]!, at)).outcome).toBe('started')
        }
      },
    ),
    { numRuns: 60 },
  )
}, 120_000)

test('the longest track of the model ends inside the periods that are tried', () => {
  for (const { timing, segmentsPerPeriod } of modelTracks)
    expect(periodCount(timing, segmentsPerPeriod)).toBeLessThan(PERIODS)
})
