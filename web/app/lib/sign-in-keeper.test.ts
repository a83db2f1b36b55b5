import { expect, test } from 'vitest'
import { makeSignInKeeper } from './sign-in-keeper.ts'
import type { AccessLife, Renewal, SignInKeeper } from './sign-in-keeper.ts'
import type { Notes } from './sign-in-notes.ts'

const HOUR = 3600_000
const LIFE = 900_000
/** The service's clock when a browser is opened. */
const SERVICE_START = Date.parse('2026-01-01T12:00:00Z')

type Answer = (nowMs: number) => Response | Promise<Response>

const fresh: Answer = (nowMs) =>
  Response.json({
    accessExpiresAt: new Date(nowMs + LIFE).toISOString(),
    accessExpiresInS: LIFE / 1000,
  })

/**
 * Tabs share their notes, one lock and the clock on the wall, which may be as wrong as it likes; the
 * service counts how often it was asked.
 */
function browser({ answer = fresh, offMs = 0 }: { answer?: Answer; offMs?: number } = {}) {
  const kept = new Map<string, string>()
  const notes: Notes = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  }
  let line: Promise<unknown> = Promise.resolve()
  const exclusively = <T>(_name: string, task: () => Promise<T>): Promise<T> => {
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
    return state.answer(SERVICE_START + state.passedMs)
  }
  const wall = () => SERVICE_START + state.passedMs + state.offMs
  return {
    state,
    notes,
    init,
    wall,
    pass: (ms: number) => {
      state.passedMs += ms
    },
    /** As the page brings it. */
    life: (leftMs = LIFE): AccessLife => ({
      endsAtMs: SERVICE_START + state.passedMs + leftMs,
      leftMs,
    }),
    tab: () => {
      const openedMs = state.passedMs
      return makeSignInKeeper({
        fetch,
        notes,
        exclusively,
        monotonic: () => state.passedMs - openedMs,
        wall,
        random: () => 0.5,
      })
    },
  }
}

/** Does for so long what a page does: looks every second, and renews when it is due. */
async function keepFor(keeper: SignInKeeper, world: ReturnType<typeof browser>, ms: number) {
  for (let passed = 0; passed < ms; passed += 1000) {
    world.pass(1000)
    // oxlint-disable-next-line no-await-in-loop -- one second after another
    if (keeper.dueInMs() === 0) await keeper.renew()
  }
}

const kindOf = (renewal: Renewal) => renewal.kind

test.each([0, 14 * 60_000, 10 * HOUR, -10 * HOUR, 400 * 24 * HOUR])(
  'with a clock that is wrong by %d ms the sign-in is renewed once in its life',
  async (offMs) => {
    const world = browser({ offMs })
    const keeper = world.tab()
    keeper.learn(world.life())
    await keepFor(keeper, world, 2 * HOUR)
    expect(world.state.asked).toBe(8)
  },
)

test('a clock that jumps back and forth all the time changes nothing for one tab', async () => {
  const world = browser()
  const keeper = world.tab()
  keeper.learn(world.life())
  for (const offMs of [10, -10, 3, -400, 400, 0]) {
    world.state.offMs = offMs * HOUR
    await keepFor(keeper, world, 20 * 60_000)
  }
  expect(world.state.asked).toBe(8)
})

test('a clock that jumps costs several tabs no more than one refresh each', async () => {
  const world = browser()
  const tabs = [world.tab(), world.tab(), world.tab()]
  for (const tab of tabs) tab.learn(world.life())
  const keepAllFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 60_000) {
      world.pass(60_000)
      for (const tab of tabs) {
        // oxlint-disable-next-line no-await-in-loop -- one after another, as they take turns
        if (tab.dueInMs() === 0) await tab.renew()
      }
    }
  }
  await keepAllFor(HOUR)
  expect(world.state.asked).toBe(4)
  world.state.offMs = 10 * HOUR
  await keepAllFor(HOUR)
  expect(world.state.asked).toBeLessThanOrEqual(4 + 5 + tabs.length)
})

test('two tabs that need a refresh at once use the refresh token once', async () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.learn(world.life(0))
  two.learn(world.life(0))
  const renewals = await Promise.all([one.renew(), two.renew(), one.renew()])
  expect(renewals.map(kindOf)).toEqual(['renewed', 'renewed', 'renewed'])
  expect(world.state.asked).toBe(1)
})

test('a request that was refused with the token of before another tab renewed asks no more', async () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.learn(world.life(0))
  const seen = two.current()
  await one.renew()
  expect(kindOf(await two.renew(seen))).toBe('renewed')
  expect(world.state.asked).toBe(1)
  await two.renew(two.current())
  expect(world.state.asked).toBe(2)
})

test.each([0, 10 * HOUR, -10 * HOUR])(
  'a page that was asked for before another tab renewed does not renew again (clock off by %d ms)',
  async (offMs) => {
    const world = browser({ offMs })
    const one = world.tab()
    one.learn(world.life(0))
    const askedForMs = world.wall()
    world.pass(500)
    await one.renew()
    world.pass(500)
    expect(kindOf(await world.tab().renewForPage(askedForMs))).toBe('renewed')
    expect(world.state.asked).toBe(1)
  },
)

test('a page believes once that another tab has renewed, then it renews itself', async () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.learn(world.life(0))
  const askedForMs = world.wall()
  await one.renew()
  await two.renewForPage(askedForMs)
  await two.renewForPage(askedForMs)
  expect(world.state.asked).toBe(2)
})

test('a page that was left open renews again, however old it is', async () => {
  const world = browser()
  const keeper = world.tab()
  await keeper.renewForPage(world.wall())
  keeper.learn(null)
  world.pass(HOUR)
  await keeper.renewForPage(world.wall() - HOUR)
  expect(world.state.asked).toBe(2)
})

test('a machine that slept renews when a request is refused', async () => {
  const world = browser()
  const keeper = world.tab()
  keeper.learn(world.life())
  // Its monotonic clock stood still, so nothing seems due.
  expect(keeper.dueInMs()).toBeGreaterThan(0)
  expect(kindOf(await keeper.renew(keeper.current()))).toBe('renewed')
  expect(world.state.asked).toBe(1)
})

test('after a refresh the next one is due a minute before the token ends', async () => {
  const world = browser()
  const keeper = world.tab()
  keeper.learn(world.life(30_000))
  expect(keeper.dueInMs()).toBe(0)
  await keeper.renew()
  expect(keeper.dueInMs()).toBe(LIFE - 60_000)
})

test('a refresh outlives its page and does not wait for ever', async () => {
  const world = browser()
  const keeper = world.tab()
  keeper.learn(world.life(0))
  await keeper.renew()
  expect(world.init[0]).toMatchObject({ keepalive: true, signal: expect.any(AbortSignal) })
})

test.each([
  ['401', () => new Response(null, { status: 401 })],
  [
    'a blocked account',
    () => Response.json({ type: 'https://x.example/problems/account-blocked' }, { status: 403 }),
  ],
])('%s signs the browser out, which asks no more', async (_, answer) => {
  const world = browser({ answer })
  const keeper = world.tab()
  keeper.learn(world.life(1))
  expect(kindOf(await keeper.renew())).toBe('signed-out')
  expect(keeper.dueInMs()).toBeNull()
  expect(kindOf(await keeper.renew())).toBe('signed-out')
  expect(kindOf(await keeper.renewForPage(world.wall()))).toBe('signed-out')
  expect(world.state.asked).toBe(1)
})

const outages: [string, Answer][] = [
  ['503', () => new Response(null, { status: 503 })],
  ['500', () => new Response('oops', { status: 500 })],
  ['403 of a page that may not ask', () => new Response(null, { status: 403 })],
  ['no connection', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['an answer that is no JSON', () => new Response('<html>', { status: 200 })],
]

test.each(outages)('%s keeps the sign-in and is asked ever less often', async (_, answer) => {
  const world = browser({ answer })
  const keeper = world.tab()
  keeper.learn(world.life(0))
  await keepFor(keeper, world, 10_000)
  // After 1.5 s, and 3 s later.
  expect(world.state.asked).toBe(3)
  await keepFor(keeper, world, HOUR)
  expect(world.state.asked).toBeLessThan(25)
  expect(keeper.dueInMs()).not.toBeNull()
  world.state.answer = fresh
  await keepFor(keeper, world, 6 * 60_000)
  expect(keeper.dueInMs()).toBeGreaterThan(6 * 60_000)
})

test.each([
  ['120', {}],
  ['Thu, 01 Jan 2026 14:02:00 GMT', { date: 'Thu, 01 Jan 2026 14:00:00 GMT' }],
])(
  'Retry-After: %s is honoured by all tabs and by pages that are asked for again',
  async (retryAfter, date) => {
    const world = browser({
      offMs: -10 * HOUR,
      answer: () =>
        new Response(null, { status: 503, headers: { 'retry-after': retryAfter, ...date } }),
    })
    const [one, two] = [world.tab(), world.tab()]
    one.learn(world.life(0))
    await Promise.all([keepFor(one, world, 50_000), keepFor(two, world, 50_000)])
    for (let load = 0; load < 50; load++) {
      // oxlint-disable-next-line no-await-in-loop -- a page that is loaded again and again
      const renewal = await world.tab().renewForPage(world.wall())
      expect(kindOf(renewal)).toBe('unavailable')
    }
    expect(world.state.asked).toBe(1)
    one.connected()
    await keepFor(one, world, 10_000)
    expect(world.state.asked).toBe(1)
    await keepFor(one, world, 30_000)
    expect(world.state.asked).toBe(2)
  },
)

test('a connection that is back ends the wait for it', async () => {
  const world = browser({ answer: () => Promise.reject(new TypeError('Failed to fetch')) })
  const keeper = world.tab()
  keeper.learn(world.life(0))
  await keepFor(keeper, world, 10 * 60_000)
  const { asked } = world.state
  world.state.answer = fresh
  keeper.connected()
  expect(kindOf(await keeper.renew())).toBe('renewed')
  expect(world.state.asked).toBe(asked + 1)
})

test('a clock that is set while waiting does not make the wait endless', async () => {
  const world = browser({ answer: () => new Response(null, { status: 503 }) })
  const keeper = world.tab()
  keeper.learn(world.life(0))
  await keeper.renew()
  world.state.answer = fresh
  world.state.offMs = -10 * HOUR
  await keepFor(keeper, world, 10_000)
  expect(world.state.asked).toBe(2)
  expect(kindOf(await world.tab().renew())).toBe('renewed')
})

test('what another tab learned later is not overwritten by an older page', () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.learn(world.life(LIFE))
  two.learn(world.life(100_000))
  expect(two.dueInMs()).toBe(LIFE - 60_000)
})

test('signing out in one tab is seen in the others', () => {
  const world = browser()
  const [one, two] = [world.tab(), world.tab()]
  one.learn(world.life())
  two.learn(world.life())
  one.learn(null)
  expect(two.dueInMs()).toBeNull()
})

test('notes that somebody broke are no notes', () => {
  const world = browser()
  const keeper = world.tab()
  for (const text of ['{', 'null', '[]', '{"endsAtMs":"x"}', '7']) {
    world.tab().learn(world.life())
    world.notes.setItem('mist.sign-in', text)
    expect(keeper.dueInMs()).toBeNull()
  }
})
