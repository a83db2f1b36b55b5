import { expect, test } from 'vitest'
import type { Problem } from '../lib/problem.ts'
import { KEY_LEAD_S, makeKeyLoader } from './key-loader.ts'

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

/** A key loader whose service answers from a list, and then always with a key. */
function loaderWith(answers: (Response | Error)[] = [], renewed: string | null = null) {
  const requests: { url: string; token: string | null }[] = []
  const refusals: Problem[] = []
  const waits: number[] = []
  const keys = makeKeyLoader({
    origin: ORIGIN,
    fetch: async (input, init) => {
      const token = new Headers(init?.headers).get('authorization')
      requests.push({ url: urlOf(input), token })
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
  return { keys, requests, refusals, waits }
}

/** Lets everything that can happen now happen. */
async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}

test('the first key comes from the session and is not requested', async () => {
  const { keys, requests } = loaderWith()
  keys.startSession('token', {
    url: `${ORIGIN}${keyUrl(0)}?token=x`,
    key: new Uint8Array(16).buffer,
  })
  expect((await keys.load(keyUrl(0), 0, FOREVER)).byteLength).toBe(16)
  expect(requests).toEqual([])
})

test('a key waits for the session, then is requested with its token', async () => {
  const { keys, requests } = loaderWith()
  const key = keys.load(keyUrl(0), 0, FOREVER)
  await settle()
  expect(requests).toEqual([])
  expect(keys.pendingUrls()).toEqual([`${ORIGIN}${keyUrl(0)}`])
  keys.startSession('token', null)
  expect(new Uint8Array(await key)[0]).toBe(7)
  expect(requests).toEqual([{ url: keyUrl(0), token: 'Bearer token' }])
  expect(keys.pendingUrls()).toEqual([])
})

test('the key of a later period is leased just before it is needed, and not earlier', async () => {
  const { keys, requests } = loaderWith()
  keys.startSession('token', null)
  const key = keys.load(keyUrl(1), 12, FOREVER)
  keys.setPosition(12 - KEY_LEAD_S - 0.1)
  await settle()
  expect(requests).toEqual([])
  keys.setPosition(12 - KEY_LEAD_S)
  await key
  expect(requests).toHaveLength(1)
})

test('waitFor resolves when the key has arrived', async () => {
  const { keys } = loaderWith()
  let hasArrived = false
  const arrival = keys.waitFor(`${ORIGIN}${keyUrl(0)}`, FOREVER).then(() => {
    hasArrived = true
    return hasArrived
  })
  await settle()
  expect(hasArrived).toBe(false)
  keys.startSession('token', null)
  await keys.load(keyUrl(0), 0, FOREVER)
  expect(await arrival).toBe(true)
})

test('a key that was leased before is not requested again', async () => {
  const { keys, requests } = loaderWith()
  keys.startSession('token', null)
  await keys.load(keyUrl(0), 0, FOREVER)
  await keys.load(`${ORIGIN}${keyUrl(0)}`, 0, FOREVER)
  expect(requests).toHaveLength(1)
})

test.each(['quota-exhausted', 'superseded', 'forbidden'])(
  'a key refused with %s is reported once and never requested again by itself',
  async (code) => {
    const { keys, requests, refusals } = loaderWith([
      refusal(code === 'superseded' ? 409 : 402, code),
    ])
    keys.startSession('token', null)
    void keys.load(keyUrl(0), 0, FOREVER)
    await settle()
    keys.setPosition(1)
    keys.setPosition(2)
    await settle()
    expect(requests).toHaveLength(1)
    expect(refusals.map((problem) => problem.code)).toEqual([code])
  },
)

test('after a refusal a new session lets the pending key be requested with the new token', async () => {
  const { keys, requests } = loaderWith([refusal(409, 'superseded')])
  keys.startSession('old', null)
  const key = keys.load(keyUrl(0), 0, FOREVER)
  await settle()
  keys.startSession('new', null)
  await key
  expect(requests.map(({ token }) => token)).toEqual(['Bearer old', 'Bearer new'])
})

test.each([
  [401, 'session-token-invalid'],
  [409, 'session-ended'],
])('a %i %s renews the session once and goes on', async (status, code) => {
  const { keys, requests, refusals } = loaderWith([refusal(status, code)], 'renewed')
  keys.startSession('old', null)
  await keys.load(keyUrl(0), 0, FOREVER)
  expect(requests.map(({ token }) => token)).toEqual(['Bearer old', 'Bearer renewed'])
  expect(refusals).toEqual([])
})

test('a token that is refused even when new is not renewed for ever', async () => {
  const answers = [1, 2, 3].map(() => refusal(401, 'session-token-invalid'))
  const { keys, requests, refusals } = loaderWith(answers, 'renewed')
  keys.startSession('old', null)
  void keys.load(keyUrl(0), 0, FOREVER)
  await settle()
  expect(requests).toHaveLength(2)
  expect(refusals).toHaveLength(1)
})

test('too-early waits for Retry-After', async () => {
  const { keys, requests, waits, refusals } = loaderWith([
    refusal(429, 'too-early', { 'retry-after': '3' }),
  ])
  keys.startSession('token', null)
  await keys.load(keyUrl(0), 0, FOREVER)
  expect(waits).toEqual([3000])
  expect(requests).toHaveLength(2)
  expect(refusals).toEqual([])
})

test('an outage is waited out with longer and longer pauses, and is no refusal', async () => {
  const outage = [
    new TypeError('offline'),
    refusal(503, 'unavailable'),
    refusal(500, 'internal'),
    new TypeError('offline'),
    new TypeError('offline'),
    new TypeError('offline'),
  ]
  const { keys, waits, refusals } = loaderWith(outage)
  keys.startSession('token', null)
  await keys.load(keyUrl(0), 0, FOREVER)
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000])
  expect(refusals).toEqual([])
})

test('an aborted key is not requested', async () => {
  const { keys, requests } = loaderWith()
  const abort = new AbortController()
  const key = keys.load(keyUrl(0), 0, abort.signal)
  abort.abort()
  await expect(key).rejects.toThrow('abort')
  keys.startSession('token', null)
  await settle()
  expect(requests).toEqual([])
  expect(keys.pendingUrls()).toEqual([])
})
