import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Quota } from '../lib/api-types.ts'
import { ApiRefusal, problemOf } from '../lib/problem.ts'
import type { Problem } from '../lib/problem.ts'
import { makeKeyLoader, SETTLE_MS } from './key-loader.ts'
import { makeLeaseLead } from './lease-lead.ts'

const ORIGIN = 'https://music.example'
const FOREVER = new AbortController().signal

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function keyUrl(period: number): string {
  return `/api/v1/keys/t/1/${period}`
}

/** A minute in segments of four seconds, each with a key of its own. */
const PLAYLIST = Array.from(
  { length: 15 },
  (_, period) => `#EXT-X-KEY:METHOD=AES-128,URI="${keyUrl(period)}"\n#EXTINF:4,\n${period}.m4s`,
).join('\n')

const FIRST = { url: `${ORIGIN}${keyUrl(0)}?token=x`, key: new Uint8Array(16).buffer }

function refusal(status: number, code: string, retryAfter: string | null = null): ApiRefusal {
  return new ApiRefusal(problemOf(status, { type: `/problems/${code}` }, retryAfter, 0))
}

function quotaOf(remainingS: number): Quota {
  return { limitS: 300, usedS: 300 - remainingS, remainingS, unlimited: false, resetsAt: '' }
}

/** A key loader whose service answers from a list, and then always with what was asked for. */
function loaderWith(
  answers: (Error | number)[] = [],
  { renewed = null as string | null, remainingS = 100 } = {},
) {
  const requests: { at: number; from: number; count: number; token: string }[] = []
  const refusals: Problem[] = []
  const landings: number[] = []
  const quotas: (number | null)[] = []
  const startedAt = Date.now()
  const keys = makeKeyLoader({
    origin: ORIGIN,
    lead: makeLeaseLead(),
    now: () => Date.now(),
    lease: async ({ token }, { from, count }) => {
      requests.push({ at: Date.now() - startedAt, from, count, token })
      const answer = answers.shift() ?? count
      if (typeof answer !== 'number') throw answer
      return {
        keys: Array.from({ length: answer }, (_, more) => ({
          period: from + more,
          keyBase64: btoa('0123456789abcdef'),
        })),
        quota: quotaOf(remainingS),
      }
    },
    onQuota: ({ remainingS: left }) => quotas.push(left),
    onRefusal: (problem) => refusals.push(problem),
    onLanding: (positionS) => landings.push(positionS),
    renew: async () => (renewed === null ? null : { id: 's', token: renewed }),
  })
  keys.learnPeriods(PLAYLIST)
  return {
    keys,
    requests,
    refusals,
    landings,
    quotas,
    /** What was leased, as `from+count`. */
    runs: () => requests.map(({ from, count }) => `${from}+${count}`),
    start: (token = 'token', first: typeof FIRST | null = FIRST) =>
      keys.startSession({ id: 's', token, quota: quotaOf(100) }, first, 0),
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('the first key comes with the session and is not leased', async () => {
  const { keys, requests, start } = loaderWith()
  keys.setPosition(0, true)
  start()
  expect((await keys.load(keyUrl(0), FOREVER)).byteLength).toBe(16)
  await pass(200)
  expect(requests).toEqual([])
})

test('a key waits for the session, then is leased with its token', async () => {
  const { keys, requests, quotas, start } = loaderWith()
  keys.setPosition(0, true)
  const key = keys.load(keyUrl(0), FOREVER)
  await pass(5000)
  expect(requests).toEqual([])
  expect(keys.pendingUrls()).toEqual([`${ORIGIN}${keyUrl(0)}`])
  start('token', null)
  await pass(100)
  expect(new TextDecoder().decode(await key)).toBe('0123456789abcdef')
  expect(requests).toMatchObject([{ from: 0, count: 1, token: 'token' }])
  expect(keys.pendingUrls()).toEqual([])
  expect(quotas).toEqual([100])
})

test('just after a start nothing is reckoned, which would delay the sound', async () => {
  const { keys, runs, start } = loaderWith()
  start()
  keys.setPosition(3.9, true)
  expect(runs()).toEqual([])
  await pass(100)
  expect(runs()).toEqual(['1+1'])
})

test('the key of a later period is leased just before it is heard, and not earlier', async () => {
  const { keys, runs, start } = loaderWith()
  start()
  void keys.load(keyUrl(1), FOREVER)
  keys.setPosition(3.1, true)
  await pass(50)
  expect(runs()).toEqual([])
  // Nothing is reported meanwhile: in the background, browsers report seldom.
  await pass(100)
  expect(runs()).toEqual(['1+1'])
})

test('during a pause nothing is leased', async () => {
  const { keys, runs, start } = loaderWith()
  start()
  keys.setPosition(3.9, false)
  await pass(10_000)
  expect(runs()).toEqual([])
  keys.setPosition(3.9, true)
  expect(runs()).toEqual(['1+1'])
})

test('scrubbing leases nothing until it settles, and then one period', async () => {
  const { keys, runs, landings, start } = loaderWith()
  start()
  keys.setPosition(1, true)
  for (const positionS of [20, 30, 43]) {
    keys.move(positionS)
    keys.setPosition(positionS, true)
    void keys.load(keyUrl(Math.floor(positionS / 4)), FOREVER).catch(() => null)
    await pass(240)
  }
  expect(runs()).toEqual([])
  expect(landings).toEqual([])
  await pass(SETTLE_MS - 240)
  expect(runs()).toEqual(['10+1'])
  // From its start, for its key opens all of it.
  expect(landings).toEqual([40.35])
})

test('a move to what is paid for stays where it is', async () => {
  const { keys, landings, start } = loaderWith()
  start()
  keys.setPosition(1, true)
  keys.move(2.5)
  await pass(SETTLE_MS)
  expect(landings).toEqual([])
})

test('a move does not wait for the answer to a lease of another place', async () => {
  const { keys, runs, start } = loaderWith()
  start()
  await pass(100)
  keys.setPosition(3.9, true)
  keys.move(20)
  keys.setPosition(20, true)
  await pass(SETTLE_MS)
  expect(runs()).toEqual(['1+1', '5+1'])
})

test('one who stays gets runs, of which fewer keys may come than were asked for', async () => {
  const { keys, runs, start } = loaderWith([1, 1, 2])
  start()
  for (let quarter = 0; quarter < 100; quarter++) {
    keys.setPosition(quarter / 4, true)
    await pass(250)
  }
  expect(runs()).toEqual(['1+1', '2+1', '3+3', '5+3'])
})

test('waitFor resolves when the key has arrived', async () => {
  const { keys, start } = loaderWith()
  let hasArrived = false
  const arrival = keys.waitFor(`${ORIGIN}${keyUrl(0)}`, FOREVER).then(() => {
    hasArrived = true
    return hasArrived
  })
  await pass(100)
  expect(hasArrived).toBe(false)
  start()
  expect(await arrival).toBe(true)
})

test('a spent budget is noticed early enough for the music to fade', async () => {
  const { keys, requests, refusals, start } = loaderWith([1, refusal(402, 'quota-exhausted')], {
    remainingS: 0,
  })
  start()
  await pass(100)
  keys.setPosition(3.9, true)
  await pass(0)
  keys.setPosition(4.9, true)
  await pass(0)
  expect(requests).toHaveLength(1)
  keys.setPosition(5, true)
  await pass(0)
  expect(refusals.map(({ code }) => code)).toEqual(['quota-exhausted'])
})

test.each(['quota-exhausted', 'superseded', 'forbidden'])(
  'a lease refused with %s is reported once and never repeated by itself',
  async (code) => {
    const { keys, requests, refusals, start } = loaderWith([
      refusal(code === 'superseded' ? 409 : 402, code),
    ])
    start('token', null)
    keys.setPosition(0, true)
    await pass(100)
    keys.setPosition(1, true)
    keys.move(20)
    await pass(10_000)
    expect(requests).toHaveLength(1)
    expect(refusals.map((problem) => problem.code)).toEqual([code])
  },
)

test('after a refusal a new session lets the pending key be leased with the new token', async () => {
  const { keys, requests, start } = loaderWith([refusal(409, 'superseded')])
  keys.setPosition(0, true)
  start('old', null)
  const key = keys.load(keyUrl(0), FOREVER)
  await pass(100)
  start('new', null)
  await pass(100)
  await key
  expect(requests.map(({ token }) => token)).toEqual(['old', 'new'])
})

test.each([
  [401, 'session-token-invalid'],
  [409, 'session-ended'],
])('a %i %s renews the session once and goes on', async (status, code) => {
  const answers = [refusal(status, code)]
  const { keys, requests, refusals, start } = loaderWith(answers, { renewed: 'renewed' })
  keys.setPosition(0, true)
  start('old', null)
  await pass(100)
  expect(requests.map(({ token }) => token)).toEqual(['old', 'renewed'])
  expect(refusals).toEqual([])
})

test('a token that is refused even when new is not renewed for ever', async () => {
  const answers = [1, 2, 3].map(() => refusal(401, 'session-token-invalid'))
  const { keys, requests, refusals, start } = loaderWith(answers, { renewed: 'renewed' })
  keys.setPosition(0, true)
  start('old', null)
  await pass(10_000)
  expect(requests).toHaveLength(2)
  expect(refusals).toHaveLength(1)
})

test('too-early waits for Retry-After, and is no refusal', async () => {
  const { keys, requests, refusals, start } = loaderWith([refusal(429, 'too-early', '3')])
  keys.setPosition(0, true)
  start('token', null)
  await pass(3200)
  expect(requests.map(({ at }) => at)).toEqual([100, 3100])
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
  const { keys, requests, refusals, start } = loaderWith(outage)
  keys.setPosition(0, true)
  start('token', null)
  await pass(30_000)
  const pauses = requests.slice(1).map(({ at }, index) => at - (requests[index]?.at ?? 0))
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 8000])
  expect(refusals).toEqual([])
})

test('a track that is left leases nothing more', async () => {
  const { keys, requests, start } = loaderWith()
  start()
  keys.setPosition(3, true)
  keys.close()
  await pass(10_000)
  expect(requests).toEqual([])
})

test('an aborted key is not waited for', async () => {
  const { keys } = loaderWith()
  const abort = new AbortController()
  const key = keys.load(keyUrl(0), abort.signal)
  abort.abort()
  await expect(key).rejects.toThrow('abort')
  expect(keys.pendingUrls()).toEqual([])
})
