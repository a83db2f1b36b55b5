import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FamilyId, TrackId, UserId } from './contract/ids.ts'
import {
  makeFamily,
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
const tracks: TrackId[] = []
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  ;({ start, lease } = makeMeterCalls(db))
  for (let index = 0; index < 4; index++) tracks.push((await makeTrack(db)).trackId)
}, 60_000)
afterAll(() => close())

const NOON = new Date('2026-01-01T12:00:00Z')
const after = (seconds: number) => new Date(NOON.getTime() + seconds * 1000)

type Listening = { session: unknown; userId: UserId; track: TrackId }

async function play(userId: UserId, family: FamilyId, track: number, at: Date): Promise<Listening> {
  const started = await start(userId, family, tracks[track]!, at)
  expect(started.outcome).toBe('started')
  return { session: started['session_id'], userId, track: tracks[track]! }
}

/** Leases one period of each, and tells what became of it. */
async function outcomesOf(all: Listening[], period: number, at: Date): Promise<string[]> {
  const outcomes = []
  for (const { session, userId, track } of all)
    outcomes.push((await lease(session, userId, track, period, at)).outcome)
  return outcomes
}

test('the next track’s session leaves the one that plays alone, and a third ends the oldest', async () => {
  const { userId, familyId } = await makeUser(db)
  const first = await play(userId, familyId, 0, NOON)
  const second = await play(userId, familyId, 1, after(1))
  expect(await outcomesOf([first, second], 1, after(2))).toEqual(['granted', 'granted'])
  const third = await play(userId, familyId, 2, after(3))
  expect(await outcomesOf([first, second, third], 2, after(4))).toEqual([
    'superseded',
    'granted',
    'granted',
  ])
})

test('another device takes a free listener’s one seat, both its sessions', async () => {
  const { userId, familyId } = await makeUser(db)
  const phone = await makeFamily(db, userId)
  const here = [await play(userId, familyId, 0, NOON), await play(userId, familyId, 1, after(1))]
  const there = [await play(userId, phone, 0, after(2)), await play(userId, phone, 2, after(3))]
  expect(await outcomesOf([...here, ...there], 1, after(4))).toEqual([
    'superseded',
    'superseded',
    'granted',
    'granted',
  ])
})

test('three devices of premium have two sessions each; a fourth takes the seat that started least lately', async () => {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const devices = [familyId, await makeFamily(db, userId), await makeFamily(db, userId)]
  const sessions: Listening[] = []
  let seconds = 0
  for (const track of [0, 1])
    for (const device of devices) sessions.push(await play(userId, device, track, after(seconds++)))
  expect(new Set(await outcomesOf(sessions, 1, after(10)))).toEqual(new Set(['granted']))
  // The first device goes on to a third track, so that the second is the one of longest ago.
  await play(userId, devices[0]!, 2, after(20))
  const fourth = await play(userId, await makeFamily(db, userId), 0, after(30))
  expect(await outcomesOf([...sessions, fourth], 2, after(31))).toEqual([
    'superseded', // by its own device's third
    'superseded',
    'granted',
    'granted',
    'superseded',
    'granted',
    'granted',
  ])
  const { rows } = await db.execute(
    sql`select cardinality(seats) as places from meters where user_id = ${userId}`,
  )
  expect(rows).toEqual([{ places: 6 }])
})

test('what was paid for is kept apart, place by place, and forgotten with its session', async () => {
  const { userId, familyId } = await makeUser(db)
  const first = await play(userId, familyId, 0, NOON)
  const second = await play(userId, familyId, 1, after(1))
  await lease(first.session, userId, first.track, 9, after(2))
  expect(await lease(second.session, userId, second.track, 9, after(3))).toMatchObject({
    charged_ms: 4000,
  })
  expect(await lease(first.session, userId, first.track, 9, after(4))).toMatchObject({
    charged_ms: 0,
  })
  const phone = await play(userId, await makeFamily(db, userId), 0, after(5))
  const { rows } = await db.execute(sql`
    select seats, array(select encode(l, 'hex') from unnest(leased) l) as leased
    from meters where user_id = ${userId}`)
  expect(rows).toEqual([{ seats: [phone.session, null], leased: ['01', ''] }])
})

test('sessions under way when seats were one session each go on, and count by their device', async () => {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const before: Listening[] = []
  for (const track of [0, 1, 2])
    before.push(await play(userId, await makeFamily(db, userId), track, after(track)))
  // One auth session could hold all three seats.
  await db.execute(sql`
    update listening_sessions set family_id = ${familyId} where user_id = ${userId}`)
  expect(await outcomesOf(before, 1, after(5))).toEqual(['granted', 'granted', 'granted'])
  const next = await play(userId, familyId, 3, after(6))
  expect(await outcomesOf([...before, next], 2, after(7))).toEqual([
    'superseded',
    'superseded',
    'granted',
    'granted',
  ])
})
