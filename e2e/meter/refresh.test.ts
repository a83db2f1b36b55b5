import { count, eq, sql } from 'drizzle-orm'
import { refreshFamilies, refreshTokens } from '@mist/db/schema'
import { makeRefreshCalls, makeUser } from '@mist/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeRealDatabase } from './real-database.ts'

let database: Awaited<ReturnType<typeof makeRealDatabase>>
beforeAll(async () => {
  database = await makeRealDatabase()
})
afterAll(() => database.close())

const NOON = new Date('2026-01-01T12:00:00Z')
const later = (ms: number) => new Date(NOON.getTime() + ms)

let made = 0
async function signedIn() {
  const { db } = database
  const calls = makeRefreshCalls(db)
  const token = `token ${++made} `
  const { familyId } = await makeUser(db)
  await calls.firstToken(familyId, token, NOON)
  return {
    token,
    refresh: async (name: string, now = NOON) => (await calls.refresh(name, now)).outcome,
    unused: async (): Promise<number> => {
      const [row] = await db
        .select({ unused: count() })
        .from(refreshTokens)
        .where(sql`family_id = ${familyId} and used_at is null`)
      return row?.unused ?? 0
    },
    family: async () => {
      const [row] = await db.select().from(refreshFamilies).where(eq(refreshFamilies.id, familyId))
      return row
    },
    end: async () => {
      await db
        .update(refreshFamilies)
        .set({ revokedAt: NOON, revokedReason: 'logout' })
        .where(eq(refreshFamilies.id, familyId))
    },
  }
}

const times = (outcomes: string[], outcome: string) =>
  outcomes.filter((one) => one === outcome).length

test.each([2, 20, 60])('one refresh token %d times at once is exchanged once', async (calls) => {
  for (let round = 0; round < 10; round++) {
    const { token, refresh, unused, family } = await signedIn()
    const outcomes = await Promise.all(
      Array.from({ length: calls }, (_, index) => refresh(token, later(index))),
    )
    expect(times(outcomes, 'rotated')).toBe(1)
    expect(times(outcomes, 'repeated')).toBe(calls - 1)
    expect(await unused()).toBe(1)
    expect(await family()).toMatchObject({ revokedAt: null })
  }
})

test('a token and its successor at once leave one chain, or an ended auth session, and never two chains', async () => {
  for (let round = 0; round < 40; round++) {
    const { token, refresh, unused, family } = await signedIn()
    await refresh(token)
    const [old, current] = await Promise.all([
      refresh(token, later(1000)),
      refresh(`${token}'`, later(1000)),
    ])
    // Repeated before the successor was exchanged, or after: then it is a truly old one.
    expect(current).toBe('rotated')
    expect(['repeated', 'reused']).toContain(old)
    expect(await unused()).toBe(1)
    expect((await family())?.revokedReason ?? null).toBe(old === 'reused' ? 'reuse' : null)
  }
})

test('an auth session gives no token to a request that raced with its end', async () => {
  for (let round = 0; round < 20; round++) {
    const { token, refresh, end } = await signedIn()
    const outcomes = await Promise.all([
      ...Array.from({ length: 5 }, () => refresh(token)),
      end().then(() => 'ended'),
      ...Array.from({ length: 5 }, () => refresh(token)),
    ])
    for (const outcome of outcomes)
      expect(['rotated', 'repeated', 'revoked', 'ended', 'reused']).toContain(outcome)
    // What was handed out before the end is worth nothing after it.
    expect(await refresh(`${token}'`)).toMatch(/^(revoked|unknown)$/)
    expect(await refresh(token)).toMatch(/^(revoked|reused)$/)
  }
})
