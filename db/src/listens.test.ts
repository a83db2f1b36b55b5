import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FamilyId, TrackId, UserId } from './contract/ids.ts'
import { listens, refreshFamilies } from './schema/index.ts'
import { deleteTrack } from './statements/index.ts'
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
let meter: ReturnType<typeof makeMeterCalls>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  meter = makeMeterCalls(db)
})
afterAll(() => close())

const now = new Date()
const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)

type Listening = { userId: UserId; familyId: FamilyId; trackId: TrackId; sessionId: unknown }

async function startListening(durationS = 60): Promise<Listening> {
  const { userId, familyId } = await makeUser(db, { plan: 'premium' })
  const { trackId } = await makeTrack(db, { durationS })
  const { session_id } = await meter.start(userId, familyId, trackId, now)
  return { userId, familyId, trackId, sessionId: session_id }
}

const listensOf = ({ userId }: Listening) =>
  db.select().from(listens).where(eq(listens.userId, userId))

test('a session that is live is no listen yet; completed, it is one, once', async () => {
  const it = await startListening()
  for (let period = 1; period < 15; period++)
    await meter.lease(it.sessionId, it.userId, it.trackId, period, after(1))
  await meter.listen(it.sessionId, it.userId, 40, false, after(40))
  expect(await listensOf(it)).toEqual([])
  for (let again = 0; again < 2; again++)
    await meter.listen(it.sessionId, it.userId, 58, true, after(58))
  expect(await listensOf(it)).toMatchObject([
    {
      sessionId: it.sessionId,
      trackId: it.trackId,
      startedAt: now,
      endedAt: after(58),
      heardS: 58,
      positionS: 58,
      counted: true,
      completed: true,
      skipped: false,
      source: 'session',
    },
  ])
})

test('a session that another one took the place of after some seconds is a skip', async () => {
  const it = await startListening()
  await meter.listen(it.sessionId, it.userId, 4, false, after(4))
  const { trackId } = await makeTrack(db)
  for (let more = 0; more < 3; more++) {
    const familyId = await makeFamily(db, it.userId)
    await meter.start(it.userId, familyId, trackId, after(5 + more))
  }
  expect(await listensOf(it)).toContainEqual(
    expect.objectContaining({ sessionId: it.sessionId, heardS: 4, skipped: true, counted: false }),
  )
})

test('a sign-out, a deleted track and a deleted sign-in end a session and leave a listen', async () => {
  const [signedOut, deleted, forgotten] = [
    await startListening(),
    await startListening(),
    await startListening(),
  ]
  await db
    .update(refreshFamilies)
    .set({ revokedAt: after(20) })
    .where(eq(refreshFamilies.id, signedOut.familyId))
  await db.execute(deleteTrack(deleted.trackId, after(20)))
  await db.delete(refreshFamilies).where(eq(refreshFamilies.id, forgotten.familyId))
  for (const it of [signedOut, deleted, forgotten])
    expect(await listensOf(it)).toMatchObject([
      { counted: false, skipped: false, completed: false },
    ])
})

test('with an account go its listens', async () => {
  const it = await startListening()
  await db.execute(sql`delete from users where id = ${it.userId}`)
  expect(await listensOf(it)).toEqual([])
})

test('each listen is in the table of its month, and a month without one gets it when the schedule comes', async () => {
  const it = await startListening()
  const listen = {
    ...it,
    endedAt: now,
    heardS: 1,
    positionS: 1,
    counted: false,
    skipped: false,
    completed: false,
  }
  const startedAt = new Date('2031-05-31T23:59:59Z')
  await db.insert(listens).values({ ...listen, sessionId: it.trackId as never, startedAt })
  const tableOf = async () =>
    (
      await db.execute<{ it: string }>(
        sql`select tableoid::regclass::text as it from listens where started_at = ${startedAt.toISOString()}::timestamptz`,
      )
    ).rows[0]?.it
  expect(await tableOf()).toBe('listens_other')
  const months = async () =>
    (await db.execute<{ it: number }>(sql`select keep_listen_months('2031-05-02T00:00:00Z') as it`))
      .rows[0]?.it
  expect(await months()).toBe(3)
  expect(await months()).toBe(0)
  expect(await tableOf()).toBe('listens_2031_05')
})
