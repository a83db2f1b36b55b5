import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setRole } from './roles.ts'
import { users } from './schema/index.ts'
import { makeTestDatabase, makeUser, readAudit, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => ({ db, close } = await makeTestDatabase()), 60_000)
afterAll(() => close())

async function roleOf(email: string) {
  const rows = await db.select().from(users).where(eq(users.email, email))
  return rows.map(({ role }) => role)
}

const BY = { command: 'a test' }

test('a user becomes an admin once, in whatever case their address is written, and nobody else does', async () => {
  const { userId } = await makeUser(db, { email: 'ada@example.test', username: 'ada' })
  await makeUser(db, { email: 'ada@example.test.other', username: 'other' })
  const user = { email: 'ada@example.test', username: 'ada', admins: 1 }
  expect(await setRole(db, { email: ' ADA@Example.test', role: 'admin', by: BY })).toEqual({
    kind: 'changed',
    ...user,
  })
  expect(await setRole(db, { email: 'ada@example.test', role: 'admin', by: BY })).toEqual({
    kind: 'unchanged',
    ...user,
  })
  expect(await readAudit(db)).toEqual([
    { ...BY, action: 'user.role', target: 'user', targetId: userId, details: { role: 'admin' } },
  ])
  expect(await roleOf('ada@example.test')).toEqual(['admin'])
  expect(await roleOf('ada@example.test.other')).toEqual(['user'])
})

test('an admin becomes a user again', async () => {
  await makeUser(db, { email: 'bob@example.test', username: 'bob', role: 'admin' })
  expect(await setRole(db, { email: 'bob@example.test', role: 'user', by: BY })).toMatchObject({
    kind: 'changed',
  })
  expect(await roleOf('bob@example.test')).toEqual(['user'])
})

test('an address that nobody registered with is said to be so', async () => {
  expect(await setRole(db, { email: 'nobody@example.test', role: 'admin', by: BY })).toEqual({
    kind: 'no-such-user',
  })
  expect(await readAudit(db)).toHaveLength(2)
})
