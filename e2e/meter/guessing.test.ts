import { sql } from 'drizzle-orm'
import { makeUser } from '@mist/db/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeRealDatabase } from './real-database.ts'

let database: Awaited<ReturnType<typeof makeRealDatabase>>
beforeAll(async () => {
  database = await makeRealDatabase()
})
afterAll(() => database.close())
beforeEach(() => database.db.execute(sql`truncate guess_limits, known_networks`))

const NOON = '2026-01-01T12:00:00Z'
type Try = { email: string; account: number; network: number; wide?: number }

const slots = ({
  account,
  network,
  wide = null as number | null,
}: Omit<Try, 'wide'> & { wide?: number | null }) =>
  sql`${account}::integer, ${wide}::integer, ${network}::integer, ${(network * 7919 + account) % 2 ** 20}::integer,
      decode(${network.toString(16).padStart(32, '0')}, 'hex')`

async function reserve(one: Try): Promise<string | null> {
  const { rows } = await database.db.execute(
    sql`select lane from reserve_sign_in(${one.email}, ${slots(one)}, null, 1, ${NOON})`,
  )
  return (rows as { lane: string | null }[])[0]!.lane
}

const letThrough = async (tries: Try[]) =>
  (await Promise.all(tries.map(reserve))).filter((lane) => lane !== null).length

test('a hundred guesses of one network at once are counted as a hundred', async () => {
  for (let round = 0; round < 5; round++) {
    const tries = Array.from({ length: 100 }, (_, index) => ({
      email: `nobody${index}@example.test`,
      account: index,
      network: 1000 + round,
    }))
    expect(await letThrough(tries)).toBe(20)
  }
})

test('two hundred networks that guess at one account at once get ten guesses', async () => {
  for (let account = 0; account < 5; account++) {
    const tries = Array.from({ length: 200 }, (_, network) => ({
      email: 'nobody@example.test',
      account,
      network,
      wide: network % 3,
    }))
    expect(await letThrough(tries)).toBe(10)
    await database.db.execute(sql`truncate guess_limits`)
  }
})

test('guesses and logins at once end without a deadlock, and all but the refused give back what they took', async () => {
  const people = await Promise.all(
    Array.from({ length: 8 }, async (_, account) => {
      const email = `person${account}@example.test`
      const { userId } = await makeUser(database.db, { email })
      return { email, account, userId }
    }),
  )
  const lanes = await Promise.all(
    Array.from({ length: 160 }, async (_, index) => {
      const person = people[index % people.length]!
      const one = { ...person, network: index % 5, wide: index % 2 }
      const lane = await reserve(one)
      if (lane !== null)
        await database.db.execute(
          sql`select accept_sign_in(${person.userId}, ${lane}, ${slots(one)}, ${NOON})`,
        )
      return lane
    }),
  )
  expect(lanes.filter((lane) => lane !== null).length).toBeGreaterThan(40)
  const { rows } = await database.db.execute(
    sql`select sum(level)::float8 as taken from guess_limits where kind <> 'pair'`,
  )
  expect((rows as { taken: number }[])[0]!.taken).toBeCloseTo(0, 6)
})
