import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeTestDatabase, makeUser, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
}, 60_000)
afterAll(() => close())
beforeEach(() => db.execute(sql`truncate guess_limits, known_networks`))

const NOON = Date.parse('2026-01-01T12:00:00Z')
const ACCOUNT = 7
const EMAIL = 'nobody@example.test'

type Try = {
  email?: string
  account?: number
  network: number
  wide?: number | null
  refreshHash?: string | null
  factor?: number
  atS?: number
}

/** A stand-in for a network's keyed hash. */
const hashOf = (network: number) => network.toString(16).padStart(32, '0')
const pairOf = (network: number, account: number) => (network * 7919 + account) % 2 ** 20

async function reserve(one: Try) {
  const { email = EMAIL, account = ACCOUNT, network, wide = null, factor = 1, atS = 0 } = one
  const { rows } = await db.execute(sql`
    select lane, wait_s, id, password_hash from reserve_sign_in(${email}, ${account}::integer,
      ${wide}::integer, ${network}::integer, ${pairOf(network, account)}::integer,
      decode(${hashOf(network)}, 'hex'), decode(${one.refreshHash ?? null}, 'hex'), ${factor}::float8,
      ${new Date(NOON + atS * 1000).toISOString()})`)
  return rows[0] as { lane: string | null; wait_s: number; id: string | null }
}

async function accept(userId: string, lane: string | null, one: Try) {
  const { account = ACCOUNT, network, wide = null, atS = 0 } = one
  await db.execute(sql`
    select accept_sign_in(${userId}, ${lane}, ${account}::integer, ${wide}::integer, ${network}::integer,
      ${pairOf(network, account)}::integer, decode(${hashOf(network)}, 'hex'),
      ${new Date(NOON + atS * 1000).toISOString()})`)
}

/** How many of the tries, made one after another, are let through. */
async function letThrough(tries: Try[]): Promise<number> {
  let count = 0
  for (const one of tries) if ((await reserve(one)).lane !== null) count++
  return count
}

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

test('one network may guess twenty times an hour, however many accounts it tries', async () => {
  const tries = times(120, (index) => ({ network: 1, account: index, atS: index * 1.75 }))
  expect(await letThrough(tries)).toBe(21)
  expect(await letThrough(times(120, (index) => ({ network: 1, account: index, atS: 3810 })))).toBe(
    20,
  )
  expect((await reserve({ network: 2, atS: 3810 })).lane).toBe('newcomers')
})

test('the networks of one /48 may guess a hundred times an hour', async () => {
  const tries = times(300, (index) => ({ network: index, account: index, wide: 9 }))
  expect(await letThrough(tries)).toBe(100)
  const { wait_s } = await reserve({ network: 301, account: 301, wide: 9 })
  expect(wait_s).toBeCloseTo(36, 5)
  // What was refused by the wider network was not counted for the narrow one.
  const { rows } = await db.execute(
    sql`select from guess_limits where kind = 'network' and slot = 299`,
  )
  expect(rows).toEqual([])
})

test('one network at one account waits longer and longer, but never more than five minutes', async () => {
  const waits: number[] = []
  let longestS = 0
  for (let atS = 0; atS < 3600; atS++) {
    const { lane, wait_s } = await reserve({ network: 1, factor: 1000, atS })
    if (lane !== null) waits.push(atS)
    else longestS = Math.max(longestS, wait_s)
  }
  expect(longestS).toBeLessThanOrEqual(300)
  // Three as a newcomer, five, and then 1, 2, 4 … 256 s; the level leaks meanwhile.
  expect(waits.slice(0, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(waits.length).toBeLessThan(30)
  const gaps = waits.slice(1).map((at, index) => at - waits[index]!)
  expect(Math.max(...gaps)).toBe(300)
}, 60_000)

test('two hundred networks at one account get ten guesses, and one a minute', async () => {
  expect(await letThrough(times(200, (index) => ({ network: index })))).toBe(10)
  const tries = times(600, (index) => ({ network: 1000 + index, atS: index }))
  expect(await letThrough(tries)).toBe(9)
}, 60_000)

test('who signed in from a network before gets in from there, whatever others try', async () => {
  const { userId } = await makeUser(db, { email: 'owner@example.test' })
  const home = { email: 'owner@example.test', network: 500 }
  const first = await reserve(home)
  expect(first.id).toBe(userId)
  await accept(userId, first.lane, home)
  await letThrough(times(300, (index) => ({ email: home.email, network: index % 200 })))
  const again = await reserve(home)
  expect(again).toMatchObject({ lane: 'known', id: userId })
  await accept(userId, again.lane, home)

  // And who sits there has ten guesses an hour, which lock nobody else out.
  expect(await letThrough(times(50, () => home))).toBe(10)
  expect((await reserve(home)).wait_s).toBeCloseTo(360, 5)
}, 60_000)

test('a browser with a live refresh token of the account gets in from anywhere', async () => {
  const { userId, familyId } = await makeUser(db, { email: 'mover@example.test' })
  const stranger = await makeUser(db)
  for (const [hash, family] of [
    ['aa', familyId],
    ['bb', stranger.familyId],
  ])
    await db.execute(
      sql`insert into refresh_tokens (token_hash, family_id) values (decode(${hash}, 'hex'), ${family})`,
    )
  const email = 'mover@example.test'
  await letThrough(times(100, (index) => ({ email, network: index })))
  expect((await reserve({ email, network: 900, refreshHash: 'aa' })).lane).toBe('known')
  expect((await reserve({ email, network: 901, refreshHash: 'bb' })).lane).toBe(null)
  await db.execute(sql`update refresh_families set revoked_at = now() where user_id = ${userId}`)
  expect((await reserve({ email, network: 902, refreshHash: 'aa' })).lane).toBe(null)
})

/** Twenty of two hundred networks guess at one account. */
const fire = (atS: number) =>
  letThrough(
    times(20, (index) => ({ email: 'new@example.test', network: (atS * 20 + index) % 200, atS })),
  )

test('an owner nobody knows gets in within a minute while two hundred networks keep guessing', async () => {
  const { userId } = await makeUser(db, { email: 'new@example.test' })
  // Each of them is refused often enough to be no newcomer any more.
  for (let atS = 0; atS < 60; atS++) await fire(atS)
  const owner = { email: 'new@example.test', network: 700 }
  let atS = 60
  let tried = await reserve({ ...owner, atS })
  while (tried.lane === null && atS <= 120) {
    for (const until = atS + Math.ceil(tried.wait_s); atS < until; atS++) await fire(atS)
    tried = await reserve({ ...owner, atS })
  }
  expect(tried).toMatchObject({ lane: expect.any(String), id: userId })
  expect(atS - 60).toBeLessThanOrEqual(60)
}, 120_000)

test('a right password gives the try back', async () => {
  const { userId } = await makeUser(db, { email: 'often@example.test' })
  for (let index = 0; index < 100; index++) {
    const one = { email: 'often@example.test', network: 1, wide: 2 }
    const { lane } = await reserve(one)
    expect(lane).not.toBe(null)
    await accept(userId, lane, one)
  }
})

async function answers(email: string, account: number) {
  const seen: unknown[] = []
  for (let index = 0; index < 40; index++) {
    const { lane, wait_s } = await reserve({ email, account, network: 100 * account, atS: index })
    seen.push([lane, Math.round(wait_s)])
  }
  return seen
}

test('an account that does not exist is refused like one that does', async () => {
  await makeUser(db, { email: 'real@example.test' })
  expect(await answers('real@example.test', 1)).toEqual(await answers('unreal@example.test', 2))
})

test('a clock that was once days ahead makes nobody wait for days, and gives no guess away for good', async () => {
  const tenDaysS = 10 * 24 * 3600
  await letThrough(times(30, (index) => ({ network: 1, account: index })))
  await letThrough(times(30, (index) => ({ network: 1, account: index, atS: tenDaysS })))
  // What the bad clock counted stays, but it leaks from now on.
  const { lane, wait_s } = await reserve({ network: 1, account: 99, atS: 10 })
  expect(lane).toBe(null)
  expect(wait_s).toBeLessThanOrEqual(180)
  expect((await reserve({ network: 1, account: 99, atS: 200 })).lane).toBe('newcomers')
})

test('a machine’s clock is believed to the minute, and otherwise the database’s', async () => {
  const { rows } = await db.execute(sql`
    select p.off, extract(epoch from bounded_now(clock_timestamp() + p.off) - clock_timestamp())::float8 as by_s
    from unnest(array[interval '-1 year', '-10 days', '-30 seconds', '0', '30 seconds', '10 days', '1 year'])
      with ordinality p (off, n) order by n`)
  expect(rows.map((row) => Math.round(Number(row['by_s'])))).toEqual([-60, -60, -30, 0, 30, 60, 60])
})

async function register(slot: number, atS: number) {
  const { rows } = await db.execute(sql`
    select take_network_guess('wide-registrations', null, 'registrations', ${slot}::integer,
      ${new Date(NOON + atS * 1000).toISOString()}, 1) as wait_s`)
  return Number(rows[0]!['wait_s'])
}

test('registrations of one network are counted whether or not they succeed', async () => {
  const waits: number[] = []
  for (let index = 0; index < 21; index++) waits.push(await register(1, 0))
  expect(waits.slice(0, 20)).toEqual(times(20, () => 0))
  expect(waits[20]).toBeCloseTo(180, 5)
})
