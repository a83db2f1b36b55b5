import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refreshFamilies, users } from './schema/index.ts'
import { makeRefreshCalls, makeTestDatabase, makeUser, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
let calls: ReturnType<typeof makeRefreshCalls>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
  calls = makeRefreshCalls(db)
}, 60_000)
afterAll(() => close())

const NOON = Date.parse('2026-01-01T12:00:00Z')
const at = (seconds: number) => new Date(NOON + seconds * 1000)

let count = 0
/** A sign-in whose first token was made at noon. */
async function signedIn() {
  const token = `token ${++count} `
  const { userId, familyId } = await makeUser(db)
  await calls.firstToken(familyId, token, at(0))
  const family = async () => {
    const [row] = await db.select().from(refreshFamilies).where(eq(refreshFamilies.id, familyId))
    return row
  }
  const outcomeOf = async (name: string, seconds: number, next?: string) =>
    (await calls.refresh(name, at(seconds), next)).outcome
  return { token, userId, familyId, family, outcomeOf }
}

test.each([0, 1, 29.9])(
  'a token that comes again %d s after its exchange is answered, and nothing is written',
  async (seconds) => {
    const { token, family, outcomeOf } = await signedIn()
    expect(await outcomeOf(token, 100)).toBe('rotated')
    const before = await family()
    expect(await outcomeOf(token, 100 + seconds)).toBe('repeated')
    expect(await family()).toEqual(before)
    expect(await outcomeOf(`${token}'`, 100 + seconds)).toBe('rotated')
  },
)

test.each([30, 31, 900, 1e6])(
  'a token that comes again %d s after its exchange kills its family',
  async (seconds) => {
    const { token, family, outcomeOf } = await signedIn()
    await outcomeOf(token, 100)
    expect(await outcomeOf(token, 100 + seconds)).toBe('reused')
    expect(await family()).toMatchObject({ revokedReason: 'reuse' })
    expect(await outcomeOf(`${token}'`, 100 + seconds)).toBe('revoked')
  },
)

test('coming again does not prolong the grace', async () => {
  const { token, outcomeOf } = await signedIn()
  expect(await outcomeOf(token, 0)).toBe('rotated')
  expect(await outcomeOf(token, 20)).toBe('repeated')
  expect(await outcomeOf(token, 29)).toBe('repeated')
  expect(await outcomeOf(token, 40)).toBe('reused')
})

test('the token before the last kills its family, however young it is', async () => {
  const { token, outcomeOf } = await signedIn()
  await outcomeOf(token, 0)
  await outcomeOf(`${token}'`, 1)
  expect(await outcomeOf(token, 2)).toBe('reused')
  expect(await outcomeOf(`${token}'`, 2)).toBe('revoked')
  expect(await outcomeOf(`${token}''`, 2)).toBe('revoked')
})

test('a token that comes again and names another successor kills its family', async () => {
  const { token, outcomeOf } = await signedIn()
  await outcomeOf(token, 0)
  expect(await outcomeOf(token, 1, 'of somebody else')).toBe('reused')
})

test('a successor in another family is none', async () => {
  const [one, two] = [await signedIn(), await signedIn()]
  await one.outcomeOf(one.token, 0)
  expect(await one.outcomeOf(one.token, 1, two.token)).toBe('reused')
  expect(await two.outcomeOf(two.token, 1)).toBe('rotated')
})

test('a thief who repeats within the grace is found out at the next exchange', async () => {
  const { token, outcomeOf } = await signedIn()
  expect(await outcomeOf(token, 0)).toBe('rotated')
  expect(await outcomeOf(token, 10)).toBe('repeated')
  // Both hold the same successor now. Whoever exchanges it second, kills the sign-in of both.
  expect(await outcomeOf(`${token}'`, 500)).toBe('rotated')
  expect(await outcomeOf(`${token}'`, 840)).toBe('reused')
  expect(await outcomeOf(`${token}''`, 1340)).toBe('revoked')
})

test('within the grace, too, no dead, expired or blocked sign-in is answered', async () => {
  const dead = await signedIn()
  await dead.outcomeOf(dead.token, 0)
  await db
    .update(refreshFamilies)
    .set({ revokedAt: at(1), revokedReason: 'logout' })
    .where(eq(refreshFamilies.id, dead.familyId))
  expect(await dead.outcomeOf(dead.token, 2)).toBe('revoked')

  const expired = await signedIn()
  await expired.outcomeOf(expired.token, 0)
  await db
    .update(refreshFamilies)
    .set({ expiresAt: at(2) })
    .where(eq(refreshFamilies.id, expired.familyId))
  expect(await expired.outcomeOf(expired.token, 2)).toBe('expired')

  const blocked = await signedIn()
  await blocked.outcomeOf(blocked.token, 0)
  await db
    .update(users)
    .set({ blockedAt: at(1) })
    .where(eq(users.id, blocked.userId))
  expect(await blocked.outcomeOf(blocked.token, 2)).toBe('blocked')
  expect(await blocked.outcomeOf(`${blocked.token}'`, 2)).toBe('blocked')
})

test('a Worker whose clock is far ahead gives no endless grace', async () => {
  const { token, outcomeOf } = await signedIn()
  expect(await outcomeOf(token, 10 * 86_400)).toBe('rotated')
  expect(await outcomeOf(token, 0)).toBe('reused')
})

test('a token that nobody made is unknown', async () => {
  expect(await calls.refresh('never made', at(0))).toMatchObject({
    outcome: 'unknown',
    family_id: null,
    expires_at: null,
  })
})
