import { expect, test } from 'vitest'
import { makeSignInKeeper } from './sign-in-keeper.ts'
import type { Notes } from './sign-in-keeper.ts'

const NOW = 1_000_000_000

/** Two tabs share their notes and one lock; the service counts how often it was asked. */
function browser({ status = 200 } = {}) {
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
  const asked = { times: 0 }
  const fetch: typeof globalThis.fetch = async () => {
    asked.times += 1
    await Promise.resolve()
    return Response.json({ accessExpiresAt: new Date(NOW + 900_000).toISOString() }, { status })
  }
  const tab = () => makeSignInKeeper({ fetch, notes, exclusively, now: () => NOW })
  return { tab, asked }
}

test('two tabs that need a refresh at once use the refresh token once', async () => {
  const { tab, asked } = browser()
  const [one, two] = [tab(), tab()]
  one.learn(NOW - 1)
  expect(await Promise.all([one.renew(), two.renew(), one.renew()])).toEqual([
    'renewed',
    'renewed',
    'renewed',
  ])
  expect(asked.times).toBe(1)
})

test('a page that was asked for before another tab renewed does not renew again', async () => {
  const { tab, asked } = browser()
  const [one, two] = [tab(), tab()]
  one.learn(NOW - 1)
  await one.renew()
  expect(await two.renew(NOW - 50)).toBe('renewed')
  expect(asked.times).toBe(1)
  await two.renew(NOW + 50)
  expect(asked.times).toBe(2)
})

test('a page that was left open renews again, however old it is', async () => {
  const { tab, asked } = browser()
  const keeper = tab()
  await keeper.renew(NOW - 50)
  keeper.learn(null)
  await keeper.renew(NOW - 50)
  expect(asked.times).toBe(2)
})

test('after a refresh the next one is due a minute before the token ends', async () => {
  const { tab } = browser()
  const keeper = tab()
  keeper.learn(NOW + 30_000)
  expect(keeper.dueInMs()).toBe(0)
  await keeper.renew()
  expect(keeper.dueInMs()).toBe(840_000)
})

test('a refused refresh signs the browser out and asks no more', async () => {
  const { tab, asked } = browser({ status: 401 })
  const keeper = tab()
  keeper.learn(NOW + 1)
  expect(await keeper.renew()).toBe('signed-out')
  expect(keeper.dueInMs()).toBeNull()
  expect(await keeper.renew()).toBe('signed-out')
  expect(asked.times).toBe(1)
})

test('an outage keeps the sign-in', async () => {
  const { tab } = browser({ status: 503 })
  const keeper = tab()
  keeper.learn(NOW + 1)
  expect(await keeper.renew()).toBe('unreachable')
  expect(keeper.dueInMs()).toBe(0)
})

test('what another tab learned later is not overwritten by an older page', () => {
  const { tab } = browser()
  const [one, two] = [tab(), tab()]
  one.learn(NOW + 900_000)
  two.learn(NOW + 100_000)
  expect(two.dueInMs()).toBe(840_000)
})
