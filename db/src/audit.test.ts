import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newId, UserId } from './contract/ids.ts'
import { audit, deleteTrack } from './statements/index.ts'
import { makeTestDatabase, makeTrack, readAudit, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => ({ db, close } = await makeTestDatabase()), 60_000)
beforeEach(() => db.execute('truncate audit_log'))
afterAll(() => close())

const ADMIN = { userId: newId(UserId), requestId: 'request-1' }

test('one row is written for a change of many rows, and none for a change of no row', async () => {
  const rename = (from: string) =>
    db.execute(sql`
      with renamed as (update plans set name = name where name like ${from} returning id),
      audited as (${audit(ADMIN, { action: 'user.role', target: 'user' }, sql`renamed`)})
      select count(*)::int as count from renamed`)
  expect((await rename('%')).rows).toEqual([{ count: 2 }])
  expect((await rename('nobody')).rows).toEqual([{ count: 0 }])
  expect(await readAudit(db)).toEqual([
    {
      actorId: ADMIN.userId,
      requestId: 'request-1',
      action: 'user.role',
      target: 'user',
      details: {},
    },
  ])
})

test('a change that fails leaves no row', async () => {
  const failing = sql`
    with made as (insert into plans (id, name, devices, pace_depth_ms, pace_rate) values ('x', 'X', 0, 1, 1) returning id),
    audited as (${audit(ADMIN, { action: 'user.role', target: 'user' }, sql`made`)})
    select id from made`
  await expect(db.execute(failing)).rejects.toMatchObject({
    cause: { constraint: 'plans_terms_check' },
  })
  expect(await readAudit(db)).toEqual([])
})

test('a part that only the statement knows is its own', async () => {
  const entry = {
    action: 'remake.start',
    target: 'installation',
    targetId: sql`(select min(id) from seen)`,
    details: sql`jsonb_build_object('jobs', (select count(*) from seen))`,
  } as const
  await db.execute(sql`
    with seen as (select id from plans), audited as (${audit({ command: 'a test' }, entry, sql`seen`)})
    select 1`)
  expect(await readAudit(db)).toMatchObject([
    { command: 'a test', targetId: 'free', details: { jobs: 2 } },
  ])
})

test('a track is deleted by somebody once; what only brings it to its end is nobody’s', async () => {
  const { trackId } = await makeTrack(db)
  const remove = (options: Parameters<typeof deleteTrack>[2]) =>
    db.execute(deleteTrack(trackId, new Date(), options))
  await remove({ by: ADMIN })
  await remove({ by: ADMIN })
  await remove({ again: true })
  expect(await readAudit(db)).toMatchObject([{ action: 'track.delete', targetId: trackId }])
})

test.each([
  ['nobody', null, null],
  ['two', newId(UserId), 'npm start'],
])('a row by %s is refused', async (_, actor, command) => {
  await expect(
    db.execute(sql`insert into audit_log (actor_id, command, action, target_type)
                   values (${actor}, ${command}, 'user.role', 'user')`),
  ).rejects.toMatchObject({ cause: { constraint: 'audit_log_actor_check' } })
})
