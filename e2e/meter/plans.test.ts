import { eq, sql } from 'drizzle-orm'
import { meters, plans } from '@mist/db/schema'
import { refreshMeters } from '@mist/db/statements'
import { makeMeterCalls, makeTrack, makeUser } from '@mist/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeRealDatabase } from './real-database.ts'

let database: Awaited<ReturnType<typeof makeRealDatabase>>
beforeAll(async () => {
  database = await makeRealDatabase()
}, 300_000)
afterAll(() => database.close())

const NOON = new Date('2026-01-01T12:00:00Z')
const PEOPLE = 20_000

const refresh = () => refreshMeters((statement) => database.db.execute(statement))

async function staleMeters(): Promise<number> {
  const { rows } = await database.db.execute(sql`
    select count(*)::int as stale from meters m join plans p on p.id = m.plan
    where m.plan_revision <> p.revision`)
  return Number(rows[0]!['stale'])
}

test('a change of a plan reaches twenty thousand meters while its listeners go on', async () => {
  const { db } = database
  const meter = makeMeterCalls(db)
  const { trackId } = await makeTrack(db, { durationS: 3600 })
  const listeners = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const { userId, familyId } = await makeUser(db)
      const { session_id } = await meter.start(userId, familyId, trackId, NOON)
      return { userId, session: session_id }
    }),
  )
  await db.execute(sql`
    insert into users (id, email, username, password_hash)
    select gen_random_uuid(), n || '@example.test', n::text, 'x' from generate_series(1, ${PEOPLE}) n`)
  await db.execute(sql`analyze meters`)

  await db.update(plans).set({ dailyMs: 3_600_000 }).where(eq(plans.id, 'free'))
  expect(await staleMeters()).toBeGreaterThan(PEOPLE)
  let isDone = false
  const waits: number[] = []
  const outcomes = new Set<string>()
  const listening = listeners.map(async ({ userId, session }) => {
    // One lease of each period, then the same again, which costs nothing.
    // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- it is set while this waits
    for (let period = 0; !isDone; period = (period + 1) % 15) {
      const before = performance.now()
      outcomes.add((await meter.lease(session, userId, trackId, period, NOON)).outcome)
      waits.push(performance.now() - before)
    }
  })
  // Two at once, as a Worker and a transcoder, or two locations.
  const refreshed = (await Promise.all([refresh(), refresh()])).reduce((a, b) => a + b)
  isDone = true
  await Promise.all(listening)
  expect([...outcomes]).toEqual(['granted'])
  expect(waits.length).toBeGreaterThan(50)
  // A batch holds a meter for as long as the batch lasts, and no listener longer than that.
  expect(Math.max(...waits)).toBeLessThan(1500)

  // A meter that was in use in the very moment is left for the next run.
  expect(refreshed + (await refresh())).toBe(PEOPLE + listeners.length)
  expect(await staleMeters()).toBe(0)
  const [one] = await db.select().from(meters).where(eq(meters.userId, listeners[0]!.userId))
  expect(one).toMatchObject({ limitMs: 3_600_000, usedMs: 15 * 4000 })
}, 120_000)

test('what is stale is found without a look at every meter', async () => {
  // The query of `refresh_meters` itself, with its limit in place of the parameter.
  const { rows: functions } = await database.db.execute(
    sql`select prosrc as body from pg_proc where proname = 'refresh_meters'`,
  )
  const query = String(functions[0]!['body']).replaceAll('p_most', '1000')
  const { rows } = await database.db.execute(sql.raw(`explain ${query}`))
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  expect(plan).toContain('meters_plan_idx')
  expect(plan).not.toContain('Seq Scan on meters')
})

test('an account whose plan is changed while the plan itself changes ends with the terms of both', async () => {
  const { db } = database
  for (let round = 0; round < 20; round++) {
    const { userId } = await makeUser(db)
    const limit = 1000 * (round + 1)
    await Promise.all([
      db.execute(sql`update users set plan = 'premium' where id = ${userId}`),
      db.execute(sql`update plans set daily_ms = ${limit} where id = 'premium'`),
      refresh(),
    ])
    await refresh()
    const [one] = await db.select().from(meters).where(eq(meters.userId, userId))
    expect(one).toMatchObject({ plan: 'premium', limitMs: limit })
  }
})
