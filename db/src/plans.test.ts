import { eq, sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { UserId } from './contract/ids.ts'
import { DEFAULT_PLAN, PlanId } from './contract/plans.ts'
import { meters, plans, users } from './schema/index.ts'
import {
  makeMeterCalls,
  makeTestDatabase,
  makeTrack,
  makeUser,
  type TestDatabase,
} from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
let seeded: (typeof plans.$inferSelect)[]
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  seeded = await db.select().from(plans)
}, 60_000)
afterEach(async () => {
  for (const { id, revision: _, ...terms } of seeded)
    await db.update(plans).set(terms).where(eq(plans.id, id))
  await refresh(100_000)
})
afterAll(() => close())

const NOON = new Date('2026-01-01T12:00:00Z')

async function refresh(most: number): Promise<number> {
  const { rows } = await db.execute(sql`select refresh_meters(${most}::integer) as count`)
  return Number(rows[0]!['count'])
}

async function termsOf(userId: UserId) {
  const [meter] = await db.select().from(meters).where(eq(meters.userId, userId))
  const { limitMs, devices, maxBitrate, paceDepthMs, paceRate } = meter!
  return { limitMs, devices, maxBitrate, paceDepthMs, paceRate }
}

const FREE = {
  limitMs: 300_000,
  devices: 1,
  maxBitrate: 192_000,
  paceDepthMs: 180_000,
  paceRate: 1.25,
}
const PREMIUM = {
  limitMs: null,
  devices: 3,
  maxBitrate: null,
  paceDepthMs: 540_000,
  paceRate: 3.75,
}

test('an account has the terms of its plan from the start, and those of another as soon as it has that', async () => {
  const { userId } = await makeUser(db)
  expect(await termsOf(userId)).toEqual(FREE)
  await db.update(users).set({ plan: 'premium' }).where(eq(users.id, userId))
  expect(await termsOf(userId)).toEqual(PREMIUM)
  await db.update(users).set({ dailyLimitS: 60 }).where(eq(users.id, userId))
  expect(await termsOf(userId)).toEqual({ ...PREMIUM, limitMs: 60_000 })
  await db.update(users).set({ plan: 'free', dailyLimitS: null }).where(eq(users.id, userId))
  expect(await termsOf(userId)).toEqual(FREE)
})

test('a plan that somebody adds can be had, and one that is not there cannot', async () => {
  const { userId } = await makeUser(db)
  await db.execute(sql`
    insert into plans (id, name, daily_ms, devices, max_bitrate, pace_depth_ms, pace_rate)
    values ('family', 'Family', null, 6, null, 900000, 7.5)`)
  await db
    .update(users)
    .set({ plan: PlanId.parse('family') })
    .where(eq(users.id, userId))
  expect(await termsOf(userId)).toMatchObject({ devices: 6, paceRate: 7.5 })
  await expect(
    db.execute(sql`update users set plan = 'none' where id = ${userId}`),
  ).rejects.toMatchObject({ cause: { constraint: 'users_plan_plans_id_fk' } })
  await expect(db.execute(sql`delete from plans where id = 'family'`)).rejects.toMatchObject({
    cause: { constraint: 'users_plan_plans_id_fk' },
  })
  await db.update(users).set({ plan: 'free' }).where(eq(users.id, userId))
  await db.execute(sql`delete from plans where id = 'family'`)
})

test.each([
  ['daily_ms = -1'],
  ['devices = 0'],
  ['max_bitrate = 0'],
  ['pace_depth_ms = 0'],
  ['pace_rate = 0'],
])('a plan with %s is refused', async (change) => {
  await expect(db.execute(`update plans set ${change} where id = 'free'`)).rejects.toMatchObject({
    cause: { constraint: 'plans_terms_check' },
  })
})

test('a change of a plan reaches its meters in batches, and only those that it concerns', async () => {
  const people = await Promise.all(
    Array.from({ length: 7 }, async (_, index) =>
      makeUser(db, index < 5 ? {} : { plan: 'premium' }),
    ),
  )
  const { userId: own } = await makeUser(db, { dailyLimitS: 60 })
  while ((await refresh(1000)) > 0);
  const { rows } = await db.execute(
    sql`select count(*)::int as free from meters where plan = 'free'`,
  )
  const free = Number(rows[0]!['free'])

  await db.update(plans).set({ dailyMs: 600_000, devices: 2 }).where(eq(plans.id, DEFAULT_PLAN))
  expect(await termsOf(people[0]!.userId)).toEqual(FREE)
  const batches = []
  for (let count = await refresh(3); count > 0; count = await refresh(3)) batches.push(count)
  expect(Math.max(...batches)).toBe(3)
  expect(batches.reduce((sum, count) => sum + count, 0)).toBe(free)
  for (const { userId } of people.slice(0, 5))
    expect(await termsOf(userId)).toEqual({ ...FREE, limitMs: 600_000, devices: 2 })
  for (const { userId } of people.slice(5)) expect(await termsOf(userId)).toEqual(PREMIUM)
  expect(await termsOf(own)).toEqual({ ...FREE, limitMs: 60_000, devices: 2 })
})

test('another name is no other terms', async () => {
  await makeUser(db)
  await db.update(plans).set({ name: 'Gratis' }).where(eq(plans.id, DEFAULT_PLAN))
  expect(await refresh(1000)).toBe(0)
})

test('the next lease after the change has reached a meter goes by it', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db)
  const { start, lease } = makeMeterCalls(db)
  const { session_id } = await start(userId, familyId, trackId, NOON)
  await db.update(plans).set({ dailyMs: 4000 }).where(eq(plans.id, DEFAULT_PLAN))
  expect(await lease(session_id, userId, trackId, 1, NOON)).toMatchObject({ outcome: 'granted' })
  await refresh(1000)
  expect(await lease(session_id, userId, trackId, 2, NOON)).toMatchObject({ outcome: 'exhausted' })
})

test('what release 0.1.0 calls answers as it did', async () => {
  const { userId, familyId } = await makeUser(db)
  const { trackId } = await makeTrack(db, { durationS: 60 })
  const { session_id } = await makeMeterCalls(db).start(userId, familyId, trackId, NOON)
  const leased = await db.execute(
    sql`select lease_key_period(${session_id}, ${userId}, ${trackId}, 1, 1, ${NOON.toISOString()}, false) as answer`,
  )
  expect(leased.rows).toMatchObject([{ answer: { outcome: 'granted' } }])
  const limits = await db.execute(
    sql`select daily_ms('free', null) as free, daily_ms('premium', null) as premium, daily_ms('premium', 7) as own`,
  )
  expect(limits.rows).toEqual([{ free: 300_000, premium: null, own: 7000 }])
  const listened = async (id: unknown) => {
    const { rows } = await db.execute(
      sql`select to_json(record_listening(${id}, ${userId}, 5, false, ${NOON.toISOString()}::timestamptz + interval '5 s')) as answer`,
    )
    return rows[0]!['answer']
  }
  expect(await listened(session_id)).toEqual({
    outcome: 'recorded',
    track_id: trackId,
    version: 1,
    duration_s: 60,
    plan: 'free',
    heard_s: 5,
    counted: false,
    limit_ms: 300_000,
    used_ms: 8000,
  })
  expect(await listened(trackId)).toMatchObject({ outcome: 'no-session', track_id: null })
})
