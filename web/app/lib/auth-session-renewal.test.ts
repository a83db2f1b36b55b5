import { expect, test } from 'vitest'
import { makeAuthSessionRenewal } from './auth-session-renewal.ts'
import type { AccessExpiry, RenewalResult, AuthSessionRenewal } from './auth-session-renewal.ts'
import type { AuthSessionStorage } from './auth-session-storage.ts'

const HOUR = 3600_000
const LIFE = 900_000
/** The API's clock when the browser is opened. */
const API_START = Date.parse('2026-01-01T12:00:00Z')

type Answer = (nowMs: number) => Response | Promise<Response>

const fresh: Answer = (nowMs) =>
  Response.json({
    accessExpiresAt: new Date(nowMs + LIFE).toISOString(),
    accessExpiresInS: LIFE / 1000,
  })

/**
 * Tabs share their storage, one lock and this device's clock, which may be wrong by `offMs`; the API
 * counts how often it was asked.
 */
function browser({ answer = fresh, offMs = 0 }: { answer?: Answer; offMs?: number } = {}) {
  const kept = new Map<string, string>()
  const storage: AuthSessionStorage = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  }
  let line: Promise<unknown> = Promise.resolve()
  const withLock = <T>(_name: string, task: () => Promise<T>): Promise<T> => {
    const turn = line.then(task)
    line = turn.catch(() => null)
    return turn
  }
  const state = { asked: 0, passedMs: 0, offMs, answer }
  const init: RequestInit[] = []
  const fetch: typeof globalThis.fetch = async (_input, options) => {
    state.asked += 1
    init.push(options ?? {})
    await Promise.resolve()
    return state.answer(API_START + state.passedMs)
  }
  const wallMs = () => API_START + state.passedMs + state.offMs
  return {
    state,
    storage,
    init,
    wallMs,
    pass: (ms: number) => {
      state.passedMs += ms
    },
    /** As a page carries it. */
    life: (leftMs = LIFE): AccessExpiry => ({
      endsAtMs: API_START + state.passedMs + leftMs,
      leftMs,
    }),
    tab: () => {
      const openedMs = state.passedMs
      return makeAuthSessionRenewal({
        fetch,
        storage,
        withLock,
        monotonicMs: () => state.passedMs - openedMs,
        wallMs,
        random: () => 0.5,
      })
    },
  }
}

/** Does what a page does, for `ms`: checks every second, and refreshes when it is due. */
async function runFor(session: AuthSessionRenewal, world: ReturnType<typeof browser>, ms: number) {
  for (let passed = 0; passed < ms; passed += 1000) {
    world.pass(1000)
    // oxlint-disable-next-line no-await-in-loop -- one second after another
    if (session.dueInMs() === 0) await session.renew()
  }
}

const kindOf = (result: RenewalResult) => result.kind

test.each([0, 14 * 60_000, 10 * HOUR, -10 * HOUR, 400 * 24 * HOUR])(
  'with a clock that is wrong by %d ms each access token is refreshed once',
  async (offMs) => {
    const world = browser({ offMs })
    const session = world.tab()
    session.setAccess(world.life())
    await runFor(session, world, 2 * HOUR)
    expect(world.state.asked).toBe(8)
  },
)

test('a clock that jumps back and forth all the time changes nothing for one tab', async () => {
  const world = browser()
  const session = world.tab()
  session.setAccess(world.life())
  for (const offMs of [10, -10, 3, -400, 400, 0]) {
    world.state.offMs = offMs * HOUR
    await runFor(session, world, 20 * 60_000)
  }
  expect(world.state.asked).toBe(8)
})

test('a clock that jumps costs several tabs no more than one refresh each', async () => {
  const world = browser()
  const tabs = [world.tab(), world.tab(), world.tab()]
  for (const tab of tabs) tab.setAccess(world.life())
  const runAllFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 60_000) {
      world.pass(60_000)
      for (const tab of tabs) {
        // oxlint-disable-next-line no-await-in-loop -- one after another, as they take turns
        if (tab.dueInMs() === 0) await tab.renew()
      }
    }
  }
  await runAllFor(HOUR)
  expect(world.state.asked).toBe(4)
  world.state.offMs = 10 * HOUR
  await runAllFor(HOUR)
  expect(world.state.asked).toBeLessThanOrEqual(4 + 5 + tabs.length)
})

test('two tabs that need a refresh at once use the refresh token once', async () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.setAccess(world.life(0))
  two.setAccess(world.life(0))
  const renewals = await Promise.all([one.renew(), two.renew(), one.renew()])
  expect(renewals.map(kindOf)).toEqual(['renewed', 'renewed', 'renewed'])
  expect(world.state.asked).toBe(1)
})

test('a request refused with an old token does not refresh again after another tab did', async () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.setAccess(world.life(0))
  const seen = two.currentEndMs()
  await one.renew()
  expect(kindOf(await two.renew(seen))).toBe('renewed')
  expect(world.state.asked).toBe(1)
  await two.renew(two.currentEndMs())
  expect(world.state.asked).toBe(2)
})

test.each([0, 10 * HOUR, -10 * HOUR])(
  'a page requested before another tab refreshed does not refresh again (clock off by %d ms)',
  async (offMs) => {
    const world = browser({ offMs })
    const one = world.tab()
    one.setAccess(world.life(0))
    const requestedAtMs = world.wallMs()
    world.pass(500)
    await one.renew()
    world.pass(500)
    expect(kindOf(await world.tab().renewForPage(requestedAtMs))).toBe('renewed')
    expect(world.state.asked).toBe(1)
  },
)

test('a page trusts once that another tab has refreshed, then it refreshes itself', async () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.setAccess(world.life(0))
  const requestedAtMs = world.wallMs()
  await one.renew()
  await two.renewForPage(requestedAtMs)
  await two.renewForPage(requestedAtMs)
  expect(world.state.asked).toBe(2)
})

test('a page that was left open refreshes again, however old it is', async () => {
  const world = browser()
  const session = world.tab()
  await session.renewForPage(world.wallMs())
  session.setAccess(null)
  world.pass(HOUR)
  await session.renewForPage(world.wallMs() - HOUR)
  expect(world.state.asked).toBe(2)
})

test('a machine that slept refreshes when a request is refused', async () => {
  const world = browser()
  const session = world.tab()
  session.setAccess(world.life())
  // Its monotonic clock stood still, so nothing seems due.
  expect(session.dueInMs()).toBeGreaterThan(0)
  expect(kindOf(await session.renew(session.currentEndMs()))).toBe('renewed')
  expect(world.state.asked).toBe(1)
})

test('after a refresh the next one is due a minute before the token ends', async () => {
  const world = browser()
  const session = world.tab()
  session.setAccess(world.life(30_000))
  expect(session.dueInMs()).toBe(0)
  await session.renew()
  expect(session.dueInMs()).toBe(LIFE - 60_000)
})

test('a refresh outlives its page and has a timeout', async () => {
  const world = browser()
  const session = world.tab()
  session.setAccess(world.life(0))
  await session.renew()
  expect(world.init[0]).toMatchObject({ keepalive: true, signal: expect.any(AbortSignal) })
})

test.each([
  ['401', () => new Response(null, { status: 401 })],
  [
    'a blocked account',
    () => Response.json({ type: 'https://x.example/problems/account-blocked' }, { status: 403 }),
  ],
])('after %s the browser is signed out and refreshes no more', async (_, answer) => {
  const world = browser({ answer })
  const session = world.tab()
  session.setAccess(world.life(1))
  expect(kindOf(await session.renew())).toBe('signed-out')
  expect(session.dueInMs()).toBeNull()
  expect(kindOf(await session.renew())).toBe('signed-out')
  expect(kindOf(await session.renewForPage(world.wallMs()))).toBe('signed-out')
  expect(world.state.asked).toBe(1)
})

const outages: [string, Answer][] = [
  ['503', () => new Response(null, { status: 503 })],
  ['500', () => new Response('oops', { status: 500 })],
  ['403 for another reason', () => new Response(null, { status: 403 })],
  ['no connection', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['an answer that is no JSON', () => new Response('<html>', { status: 200 })],
]

test.each(outages)(
  '%s keeps the auth session, and is retried ever less often',
  async (_, answer) => {
    const world = browser({ answer })
    const session = world.tab()
    session.setAccess(world.life(0))
    await runFor(session, world, 10_000)
    // After 1.5 s, and 3 s later.
    expect(world.state.asked).toBe(3)
    await runFor(session, world, HOUR)
    expect(world.state.asked).toBeLessThan(25)
    expect(session.dueInMs()).not.toBeNull()
    world.state.answer = fresh
    await runFor(session, world, 6 * 60_000)
    expect(session.dueInMs()).toBeGreaterThan(6 * 60_000)
  },
)

test.each([
  ['120', {}],
  ['Thu, 01 Jan 2026 14:02:00 GMT', { date: 'Thu, 01 Jan 2026 14:00:00 GMT' }],
])('Retry-After: %s is honoured by all tabs and by reloaded pages', async (retryAfter, date) => {
  const world = browser({
    offMs: -10 * HOUR,
    answer: () =>
      new Response(null, { status: 503, headers: { 'retry-after': retryAfter, ...date } }),
  })
  const [one, two] = [world.tab(), world.tab()]
  one.setAccess(world.life(0))
  await Promise.all([runFor(one, world, 50_000), runFor(two, world, 50_000)])
  for (let load = 0; load < 50; load++) {
    // oxlint-disable-next-line no-await-in-loop -- a page that is loaded again and again
    const result = await world.tab().renewForPage(world.wallMs())
    expect(kindOf(result)).toBe('unavailable')
  }
  expect(world.state.asked).toBe(1)
  one.handleOnline()
  await runFor(one, world, 10_000)
  expect(world.state.asked).toBe(1)
  await runFor(one, world, 30_000)
  expect(world.state.asked).toBe(2)
})

test('a connection that is back ends the backoff', async () => {
  const world = browser({ answer: () => Promise.reject(new TypeError('Failed to fetch')) })
  const session = world.tab()
  session.setAccess(world.life(0))
  await runFor(session, world, 10 * 60_000)
  const { asked } = world.state
  world.state.answer = fresh
  session.handleOnline()
  expect(kindOf(await session.renew())).toBe('renewed')
  expect(world.state.asked).toBe(asked + 1)
})

test('a clock that is set back during the backoff does not make it endless', async () => {
  const world = browser({ answer: () => new Response(null, { status: 503 }) })
  const session = world.tab()
  session.setAccess(world.life(0))
  await session.renew()
  world.state.answer = fresh
  world.state.offMs = -10 * HOUR
  await runFor(session, world, 10_000)
  expect(world.state.asked).toBe(2)
  expect(kindOf(await world.tab().renew())).toBe('renewed')
})

test('an older page does not overwrite a newer token of another tab', () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.setAccess(world.life(LIFE))
  two.setAccess(world.life(100_000))
  expect(two.dueInMs()).toBe(LIFE - 60_000)
})

test('signing out in one tab is seen in the others', () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.setAccess(world.life())
  two.setAccess(world.life())
  one.setAccess(null)
  expect(two.dueInMs()).toBeNull()
})

test('invalid stored state is ignored', () => {
  const world = browser()
  const session = world.tab()
  for (const text of ['{', 'null', '[]', '{"endsAtMs":"x"}', '7']) {
    world.tab().setAccess(world.life())
    world.storage.setItem('mist.auth-session', text)
    expect(session.dueInMs()).toBeNull()
  }
})
