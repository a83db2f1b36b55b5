import { sql } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import type { AuthTokens } from '../contract/accounts.ts'
import { hashPassword } from '../platform/passwords.ts'
import { makeTestApi, problemCode } from '../testing/api.ts'
import { makeUser } from '@mist/db/testing/factories'

const api = makeTestApi()
beforeEach(() => api.db.execute(sql`truncate guess_limits, known_networks`))

const password = 'correct horse battery'
const passwordHash = await hashPassword(password)

async function makeOwner(): Promise<string> {
  const email = `owner${crypto.randomUUID()}@example.test`
  await makeUser(api.db, { email, passwordHash })
  return email
}

const login = (
  email: string,
  from: string,
  { guess = password, headers = {} }: { guess?: string; headers?: Record<string, string> } = {},
) =>
  api.call('POST', 'auth/login', {
    body: { email, password: guess },
    headers: { 'cf-connecting-ip': from, ...headers },
  })

/** How many of the guesses reach the password. */
async function guessesAt(emails: string[], addresses: string[]): Promise<number> {
  const statuses = await Promise.all(
    emails.map(async (email, index) => {
      const { status } = await login(email, addresses[index % addresses.length]!, {
        guess: 'wrong',
      })
      return status
    }),
  )
  return statuses.filter((status) => status === 401).length
}

const nobodies = (count: number) =>
  Array.from({ length: count }, () => `nobody${crypto.randomUUID()}@example.test`)

test('guesses from one address end in 429, which says how long to wait', async () => {
  expect(await guessesAt(nobodies(40), ['192.0.2.1'])).toBe(20)
  const refused = await login(nobodies(1)[0]!, '192.0.2.1')
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(100)
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(180)
  const { detail } = await refused.json<{ detail: string }>()
  expect(detail).toMatch(/Please wait \d+ minutes\.$/)
  expect((await login(await makeOwner(), '192.0.2.2')).status).toBe(200)
}, 60_000)

test('sixty addresses of one IPv6 /64 are one guesser', async () => {
  const addresses = Array.from({ length: 60 }, (_, index) => `2001:db8:0:7:${index}::${index}`)
  expect(await guessesAt(nobodies(60), addresses)).toBe(20)
}, 60_000)

test('an IPv4 address in IPv6 clothes is the same address', async () => {
  const spellings = ['192.0.2.3', '::ffff:192.0.2.3', '::FFFF:C000:0203']
  expect(await guessesAt(nobodies(30), spellings)).toBe(20)
}, 60_000)

/** What a visitor may claim about its address. */
function claims(index: number): Record<string, string> {
  const address = `198.51.100.${index}`
  return {
    'x-forwarded-for': address,
    'x-real-ip': address,
    'true-client-ip': address,
    forwarded: `for=${address}`,
  }
}

test('what a visitor says about its own address does not count', async () => {
  const statuses = await Promise.all(
    nobodies(30).map(async (email, index) => {
      const { status } = await login(email, '192.0.2.4', {
        guess: 'wrong',
        headers: claims(index),
      })
      return status
    }),
  )
  expect(statuses.filter((status) => status === 401)).toHaveLength(20)
}, 60_000)

test('one account attacked from two hundred addresses still lets its owner in from home', async () => {
  const email = await makeOwner()
  expect((await login(email, '203.0.113.1')).status).toBe(200)
  const addresses = Array.from({ length: 200 }, (_, index) => `198.51.100.${index}`)
  const reached = await guessesAt(
    addresses.map(() => email),
    addresses,
  )
  expect(reached).toBeLessThanOrEqual(12)
  expect((await login(email, '203.0.113.1')).status).toBe(200)
  const stranger = await login(email, '203.0.113.99')
  expect(stranger.status).toBe(429)
  // An owner on a new network waits a minute, not a day.
  expect(Number(stranger.headers.get('retry-after'))).toBeLessThanOrEqual(60)
}, 60_000)

test('a browser that holds a refresh token of the account gets in from a new address', async () => {
  const email = await makeOwner()
  const first = await login(email, '203.0.113.2')
  const { refreshToken } = await first.json<AuthTokens>()
  const addresses = Array.from({ length: 60 }, (_, index) => `198.51.100.${index}`)
  await guessesAt(
    addresses.map(() => email),
    addresses,
  )
  expect((await login(email, '203.0.113.3')).status).toBe(429)
  const headers = { cookie: `__Host-mist_refresh=${refreshToken}`, origin: 'https://api.example' }
  expect((await login(email, '203.0.113.3', { headers })).status).toBe(200)
}, 60_000)

test('a user who knows the password may sign in as often as needed', async () => {
  const email = await makeOwner()
  for (let time = 0; time < 22; time++) expect((await login(email, '192.0.2.5')).status).toBe(200)
}, 60_000)

test('registrations are counted, for each tells whether an address has an account', async () => {
  const register = async () => {
    const username = `r${crypto.randomUUID().slice(0, 20)}`
    const body = { email: `${username}@example.test`, username, password }
    const headers = { 'cf-connecting-ip': '192.0.2.6' }
    return (await api.call('POST', 'auth/register', { body, headers })).status
  }
  expect(await register()).toBe(201)
  // Eighteen more, without their hashes.
  await api.db.execute(sql`update guess_limits set level = 19 where kind = 'registrations'`)
  expect([await register(), await register(), await register()]).toEqual([201, 429, 429])
}, 60_000)

async function change(token: string, currentPassword: string) {
  const body = { currentPassword, newPassword: 'a wholly different one' }
  const response = await api.call('POST', 'auth/password', { body, bearer: token })
  return { status: response.status, code: response.ok ? null : await problemCode(response) }
}

test('guesses at the current password end on a stolen auth session, and not on the owner’s own', async () => {
  const email = await makeOwner()
  const stolen = await (await login(email, '203.0.113.4')).json<AuthTokens>()
  const own = await (await login(email, '203.0.113.4')).json<AuthTokens>()
  const tries = await Promise.all(
    Array.from({ length: 30 }, () => change(stolen.accessToken, 'wrong')),
  )
  expect(tries.filter(({ code }) => code === 'invalid-credentials')).toHaveLength(10)
  expect(tries.filter(({ code }) => code === 'rate-limited')).toHaveLength(20)
  expect((await change(own.accessToken, password)).status).toBe(204)
}, 60_000)

test('after the password was changed, places where the old one was used are strangers again', async () => {
  const email = await makeOwner()
  await login(email, '203.0.113.5')
  const { accessToken } = await (await login(email, '203.0.113.6')).json<AuthTokens>()
  const networks = async () => {
    const { rows } = await api.db.execute(sql`
      select count(*)::int as count from known_networks k join users u on u.id = k.user_id where u.email = ${email}`)
    return rows[0]?.['count']
  }
  expect(await networks()).toBe(2)
  const changed = await api.call('POST', 'auth/password', {
    body: { currentPassword: password, newPassword: 'a wholly different one' },
    bearer: accessToken,
    headers: { 'cf-connecting-ip': '203.0.113.6' },
  })
  expect(changed.status).toBe(204)
  expect(await networks()).toBe(1)
}, 60_000)

test('no address is stored', async () => {
  const email = await makeOwner()
  await login(email, '203.0.113.7')
  await login(email, '203.0.113.8', { guess: 'wrong' })
  const { rows } = await api.db.execute(
    sql`select (select string_agg(g::text, ' ') from guess_limits g) as limits, (select string_agg(k::text, ' ') from known_networks k) as networks`,
  )
  expect(JSON.stringify(rows)).not.toMatch(/203\.0\.113|example\.test/)
}, 60_000)
