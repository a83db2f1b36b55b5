import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { users } from '@mist/db/schema'
import type { TrackId, UserId } from '@mist/db/contract'
import { makeTrack } from '@mist/db/testing'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeApi, type Api, type AuthTokens } from './api.ts'

let api: Api
const tracks: TrackId[] = []
beforeAll(async () => {
  api = await makeApi()
  for (let index = 0; index < 10; index++)
    tracks.push((await makeTrack(api.database.db, { durationS: 240 })).trackId)
}, 300_000)
afterAll(() => api.close())

const PERIOD_S = 4
const PERIODS = 60

/**
 * Takes every key of every track as fast as it can, one by one and in runs, over as many sessions as it is
 * let, for `seconds`.
 *
 * @returns seconds of audio whose keys it holds, each (track, period) counted once, and the time it took
 */
async function rip(
  tokens: AuthTokens,
  seconds: number,
): Promise<{ obtainedS: number; elapsedS: number }> {
  const held = new Set<string>()
  const began = performance.now()
  const isFinished = () => performance.now() - began > seconds * 1000
  async function ripTrack(trackId: TrackId): Promise<void> {
    const { status, body } = await api.start(tokens.accessToken, trackId)
    if (status > 201) return
    held.add(`${trackId} 0`)
    await Promise.all(
      Array.from({ length: PERIODS }, async (_, period) => {
        if (period % 2 === 0) {
          const key = await api.key(body.token, trackId, period)
          if (key.status === 200) held.add(`${trackId} ${period}`)
          return
        }
        const run = await api.run(body, period)
        if (run.status === 200)
          for (const key of run.body.keys) held.add(`${trackId} ${key.period}`)
      }),
    )
  }
  do {
    await Promise.all(tracks.map(ripTrack))
  } while (!isFinished())
  return { obtainedS: held.size * PERIOD_S, elapsedS: (performance.now() - began) / 1000 }
}

test('a free ripper gets no more than the pace and the budget plus one period', async () => {
  const { obtainedS, elapsedS } = await rip(await api.register(), 5)
  expect(obtainedS).toBeGreaterThanOrEqual(PERIOD_S)
  expect(obtainedS).toBeLessThanOrEqual(180 + 1.25 * elapsedS)
  expect(obtainedS).toBeLessThanOrEqual(300 + PERIOD_S)
})

test('a ripper who waits for the pace meets the budget', async () => {
  const tokens = await api.register()
  const { db } = api.database
  await db
    .update(users)
    .set({ dailyLimitS: 60 })
    .where(eq(users.id, tokens.user.id as UserId))
  const { obtainedS } = await rip(tokens, 3)
  expect(obtainedS).toBe(60)
  const again = await api.start(tokens.accessToken, tracks[0]!)
  expect(again.status).toBe(402)
})

test('a premium ripper gets no more than 540 s and 3.75 times the time it took', async () => {
  const tokens = await api.register()
  const { db } = api.database
  await db
    .update(users)
    .set({ plan: 'premium' })
    .where(eq(users.id, tokens.user.id as UserId))
  const { obtainedS, elapsedS } = await rip(tokens, 8)
  expect(obtainedS).toBeGreaterThan(300)
  expect(obtainedS).toBeLessThanOrEqual(540 + 3.75 * elapsedS)
})

test('a second session of a device opens nothing on the budget of none', async () => {
  const tokens = await api.register()
  const { db } = api.database
  await db
    .update(users)
    .set({ dailyLimitS: 20 })
    .where(eq(users.id, tokens.user.id as UserId))
  const sessions = [
    (await api.start(tokens.accessToken, tracks[0]!)).body,
    (await api.start(tokens.accessToken, tracks[1]!)).body,
  ]
  // Eight seconds are used. Twelve are left, of which both ask for as much as they can.
  const runs = await Promise.all(
    sessions.flatMap((session) => [1, 4, 7].map((from) => api.run(session, from))),
  )
  const keys = runs.flatMap(({ status, body }) => (status === 200 ? body.keys : []))
  expect(keys).toHaveLength(3)
  const refused = runs.filter(({ status }) => status !== 200)
  for (const { status } of refused) expect(status).toBe(402)
})

test('forged positions are refused and open nothing', async () => {
  const tokens = await api.register()
  const { body } = await api.start(tokens.accessToken, tracks[0]!)
  const path = `listening-sessions/${body.id}/heartbeat`
  for (const positionS of [-1, 1e9, 200, null, '12', 'NaN', Number.MAX_VALUE]) {
    const answer = await api.call('POST', path, { token: body.token, body: { positionS } })
    expect(answer.status).toBe(422)
  }
  const quota = await api.call<{ usedS: number }>('GET', 'quota', { token: tokens.accessToken })
  expect(quota.body.usedS).toBe(PERIOD_S)
})

test('a stolen session token opens its own track on its owner’s budget, and nothing else', async () => {
  const victim = await api.register()
  const thief = await api.register()
  const { body: session } = await api.start(victim.accessToken, tracks[0]!)
  expect((await api.key(session.token, tracks[1]!, 0)).status).toBe(403)
  expect((await api.key(session.token, tracks[0]!, 0, 2)).status).toBe(403)
  expect((await api.key(session.token, tracks[0]!, 1)).status).toBe(200)
  const usedBy = async ({ accessToken }: AuthTokens) =>
    (await api.call<{ usedS: number }>('GET', 'quota', { token: accessToken })).body.usedS
  expect(await usedBy(victim)).toBe(2 * PERIOD_S)
  expect(await usedBy(thief)).toBe(0)
  // The session is not the thief's.
  const path = `listening-sessions/${session.id}/heartbeat`
  const beat = await api.call('POST', path, { token: thief.accessToken, body: { positionS: 1 } })
  expect(beat.status).toBe(404)
  // Signing out ends what was stolen.
  await api.call('POST', 'auth/logout', { token: victim.accessToken, body: {} })
  expect((await api.key(session.token, tracks[0]!, 2)).status).toBe(401)
})

test('a refresh token used again after its successor was ends the auth session and its listening', async () => {
  const tokens = await api.register()
  const { body: session } = await api.start(tokens.accessToken, tracks[0]!)
  const refresh = (refreshToken: string) =>
    api.call<AuthTokens & { type: string }>('POST', 'auth/refresh', { body: { refreshToken } })
  const first = await refresh(tokens.refreshToken)
  // Its answer may have been lost: within the grace it comes again, and gains no second chain of tokens.
  const again = await refresh(tokens.refreshToken)
  expect([first.status, again.status]).toEqual([200, 200])
  expect(again.body.refreshToken).toBe(first.body.refreshToken)
  const rotated = await refresh(first.body.refreshToken)
  expect(rotated.status).toBe(200)
  const replayed = await refresh(tokens.refreshToken)
  expect(replayed.status).toBe(401)
  expect(replayed.body.type).toMatch(/refresh-reused$/)
  expect((await refresh(rotated.body.refreshToken)).status).toBe(401)
  expect((await api.key(session.token, tracks[0]!, 1)).status).toBe(401)
  expect((await api.start(rotated.body.accessToken, tracks[1]!)).status).toBe(401)
})

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('tokens with alg none, of the wrong kind or signed with something public are refused', async () => {
  const tokens = await api.register()
  const { body: session } = await api.start(tokens.accessToken, tracks[0]!)
  const [header, payload, signature] = session.token.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  const typ = (JSON.parse(Buffer.from(header, 'base64url').toString()) as { typ: string }).typ
  const signed = (secret: string, head: object, body: string) => {
    const text = `${encode(head)}.${body}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const forged = [
    `${encode({ alg: 'none', typ })}.${payload}.`,
    `${encode({ alg: 'none', typ })}.${payload}.${signature}`,
    `${encode({ alg: 'RS256', typ })}.${payload}.${signature}`,
    signed('', { alg: 'HS256', typ }, payload),
    signed('mist', { alg: 'HS256', typ }, payload),
    `${header}.${encode({ ...claims, exp: 4_102_444_800 })}.${signature}`,
    // The right signature of the wrong kind of token.
    tokens.accessToken,
    'nonsense',
  ]
  for (const token of forged) expect((await api.key(token, tracks[0]!, 1)).status).toBe(401)
  // A session token is no access token either.
  expect((await api.call('GET', 'auth/me', { token: session.token })).status).toBe(401)
})

test('an honest listener on a poor network pays for what was released, once', async () => {
  const tokens = await api.register()
  const trackId = tracks[3]!
  let session = (await api.start(tokens.accessToken, trackId)).body
  const released = new Set([0])
  // Plays on, retries, stalls, seeks three times, reloads once.
  async function play(period: number): Promise<void> {
    expect((await api.key(session.token, trackId, period)).status).toBe(200)
    released.add(period)
  }
  for (const period of [1, 1]) await play(period)
  await sleep(2000)
  for (const period of [2, 9, 9, 2]) await play(period)
  const resumed = await api.start(tokens.accessToken, trackId)
  expect(resumed.status).toBe(200)
  expect(resumed.body.id).toBe(session.id)
  session = resumed.body
  for (const period of [2, 3, 14, 3, 4]) await play(period)
  await sleep(2000)
  for (const period of [4, 0]) await play(period)
  const { body } = await api.call<{ usedS: number }>('GET', 'quota', { token: tokens.accessToken })
  expect(body.usedS).toBe(released.size * PERIOD_S)
})
