import { expect, test } from 'vitest'
import type { Problem } from '../lib/problem.ts'
import { KEY_LEAD_S, makeKeySupply } from './key-supply.ts'

function urlOf(input: RequestInfo | URL): string {
  return input instanceof Request ? input.url : input.toString()
}

const ORIGIN = 'https://music.example'
const FOREVER = new AbortController().signal

function keyUrl(period: number): string {
  return `/api/v1/keys/t/1/${period}`
}

function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ type: `/problems/${code}`, title: code, status }, { status, headers })
}

/** A supply whose service answers from a list, and then always with a key. */
function supplied(answers: (Response | Error)[] = [], renewed: string | null = null) {
  const asked: { url: string; token: string | null }[] = []
  const refusals: Problem[] = []
  const waits: number[] = []
  const keys = makeKeySupply({
    origin: ORIGIN,
    fetch: async (input, init) => {
      const token = new Headers(init?.headers).get('authorization')
      asked.push({ url: urlOf(input), token })
      const answer = answers.shift() ?? new Response(new Uint8Array(16).fill(7))
      if (answer instanceof Error) throw answer
      return answer
    },
    wait: async (ms) => {
      waits.push(ms)
    },
    onRefusal: (problem) => refusals.push(problem),
    renew: async () => renewed,
  })
  return { keys, asked, refusals, waits }
}

/** Lets everything that can happen now happen. */
async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}

test('the first key comes from the session and is not asked for', async () => {
  const { keys, asked } = supplied()
  keys.open('token', { url: `${ORIGIN}${keyUrl(0)}?token=x`, key: new Uint8Array(16).buffer })
  expect((await keys.key(keyUrl(0), 0, FOREVER)).byteLength).toBe(16)
  expect(asked).toEqual([])
})

test('a key waits for the session, then is asked for with its token', async () => {
  const { keys, asked } = supplied()
  const key = keys.key(keyUrl(0), 0, FOREVER)
  await settle()
  expect(asked).toEqual([])
  expect(keys.waiting()).toEqual([`${ORIGIN}${keyUrl(0)}`])
  keys.open('token', null)
  expect(new Uint8Array(await key)[0]).toBe(7)
  expect(asked).toEqual([{ url: keyUrl(0), token: 'Bearer token' }])
  expect(keys.waiting()).toEqual([])
})

test('the key of a later period is leased just before it is needed, and not earlier', async () => {
  const { keys, asked } = supplied()
  keys.open('token', null)
  const key = keys.key(keyUrl(1), 12, FOREVER)
  keys.moved(12 - KEY_LEAD_S - 0.1)
  await settle()
  expect(asked).toEqual([])
  keys.moved(12 - KEY_LEAD_S)
  await key
  expect(asked).toHaveLength(1)
})

test('a fragment learns when its key has come', async () => {
  const { keys } = supplied()
  let hasCome = false
  const coming = keys.leased(`${ORIGIN}${keyUrl(0)}`, FOREVER).then(() => {
    hasCome = true
    return hasCome
  })
  await settle()
  expect(hasCome).toBe(false)
  keys.open('token', null)
  await keys.key(keyUrl(0), 0, FOREVER)
  expect(await coming).toBe(true)
})

test('a key that was leased before is not asked for again', async () => {
  const { keys, asked } = supplied()
  keys.open('token', null)
  await keys.key(keyUrl(0), 0, FOREVER)
  await keys.key(`${ORIGIN}${keyUrl(0)}`, 0, FOREVER)
  expect(asked).toHaveLength(1)
})

test.each(['quota-exhausted', 'superseded', 'forbidden'])(
  'a key refused with %s is told once and never asked for again by itself',
  async (code) => {
    const { keys, asked, refusals } = supplied([refusal(code === 'superseded' ? 409 : 402, code)])
    keys.open('token', null)
    void keys.key(keyUrl(0), 0, FOREVER)
    await settle()
    keys.moved(1)
    keys.moved(2)
    await settle()
    expect(asked).toHaveLength(1)
    expect(refusals.map((problem) => problem.code)).toEqual([code])
  },
)

test('after a refusal a new session lets the waiting key be asked for with the new token', async () => {
  const { keys, asked } = supplied([refusal(409, 'superseded')])
  keys.open('old', null)
  const key = keys.key(keyUrl(0), 0, FOREVER)
  await settle()
  keys.open('new', null)
  await key
  expect(asked.map(({ token }) => token)).toEqual(['Bearer old', 'Bearer new'])
})

test.each([
  [401, 'session-token-invalid'],
  [409, 'session-ended'],
])('a %i %s renews the session once and goes on', async (status, code) => {
  const { keys, asked, refusals } = supplied([refusal(status, code)], 'renewed')
  keys.open('old', null)
  await keys.key(keyUrl(0), 0, FOREVER)
  expect(asked.map(({ token }) => token)).toEqual(['Bearer old', 'Bearer renewed'])
  expect(refusals).toEqual([])
})

test('a token that is refused even when new is not renewed for ever', async () => {
  const answers = [1, 2, 3].map(() => refusal(401, 'session-token-invalid'))
  const { keys, asked, refusals } = supplied(answers, 'renewed')
  keys.open('old', null)
  void keys.key(keyUrl(0), 0, FOREVER)
  await settle()
  expect(asked).toHaveLength(2)
  expect(refusals).toHaveLength(1)
})

test('too early waits as long as it is told', async () => {
  const { keys, asked, waits, refusals } = supplied([
    refusal(429, 'too-early', { 'retry-after': '3' }),
  ])
  keys.open('token', null)
  await keys.key(keyUrl(0), 0, FOREVER)
  expect(waits).toEqual([3000])
  expect(asked).toHaveLength(2)
  expect(refusals).toEqual([])
})

test('an outage is waited out with longer and longer pauses, and nobody is bothered', async () => {
  const outage = [
    new TypeError('offline'),
    refusal(503, 'unavailable'),
    refusal(500, 'internal'),
    new TypeError('offline'),
    new TypeError('offline'),
    new TypeError('offline'),
  ]
  const { keys, waits, refusals } = supplied(outage)
  keys.open('token', null)
  await keys.key(keyUrl(0), 0, FOREVER)
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000])
  expect(refusals).toEqual([])
})

test('a key that nobody wants any more is let go', async () => {
  const { keys, asked } = supplied()
  const abort = new AbortController()
  const key = keys.key(keyUrl(0), 0, abort.signal)
  abort.abort()
  await expect(key).rejects.toThrow('abort')
  keys.open('token', null)
  await settle()
  expect(asked).toEqual([])
  expect(keys.waiting()).toEqual([])
})
