import { makeTrack } from '@mist/db/testing/factories'
import { derivePeriodKey, periodCount } from '@mist/db/contract'
import { expect, test } from 'vitest'
import type {
  Completion,
  Heartbeat,
  Leases,
  ListeningSession,
  Play,
} from '../contract/listening.ts'
import { decodeCursor, type Page } from '../contract/pages.ts'
import { makeTestApi, ORIGIN, problemCode } from '../testing/api.ts'

const api = makeTestApi()

type Listener = Awaited<ReturnType<typeof api.signIn>>

async function start(listener: Listener, trackId: string, more: object = {}) {
  const response = await api.call('POST', 'listening-sessions', {
    body: { trackId, ...more },
    bearer: listener.token,
  })
  return { response, session: await response.clone().json<ListeningSession>() }
}

const keyPath = (trackId: string, period: number, version = 1) =>
  `keys/${trackId}/${version}/${period}`

const lease = (session: { token: string }, trackId: string, period: number) =>
  api.call('GET', keyPath(trackId, period), { bearer: session.token })

const beat = (id: string, positionS: unknown, bearer: string, what = 'heartbeat') =>
  api.call('POST', `listening-sessions/${id}/${what}`, { body: { positionS }, bearer })

const outcome = async (response: Response) => [response.status, await problemCode(response)]

test('pressing play answers with all that a player needs before the first segment', async () => {
  const listener = await api.signIn()
  const { trackId, masterKey } = await makeTrack(api.db)
  const { response, session } = await start(listener, trackId)
  expect(response.status).toBe(201)

  const base = `${ORIGIN}/api/v1/tracks/${trackId}/hls`
  expect(session.hls!.masterUrl).toBe(`${base}/master.m3u8?v=1`)
  expect(Object.keys(session.hls!.playlists)).toEqual([
    `${base}/master.m3u8?v=1`,
    `${base}/64k.m3u8?v=1`,
    `${base}/128k.m3u8?v=1`,
    `${base}/192k.m3u8?v=1`,
  ])
  const init = `${ORIGIN}/api/v1/media/tracks/${trackId}/1/64k/init.mp4`
  expect(session.hls!.inits[init]).toBe('AAECAw==')
  const key = await derivePeriodKey(masterKey, trackId, 1, 0)
  expect(session.firstKey).toEqual({
    url: `${ORIGIN}/api/v1/keys/${trackId}/1/0`,
    keyBase64: btoa(String.fromCharCode(...key)),
  })
  expect(session.quota).toMatchObject({ limitS: 300, usedS: 4, remainingS: 296, unlimited: false })
  // Every URL in a playlist is answered from memory, or is a key or a segment.
  for (const [url, text] of Object.entries(session.hls!.playlists)) {
    const fetched = await api.call('GET', url)
    expect([fetched.status, await fetched.text()]).toEqual([200, text])
  }
})

test('a player that has the files already is answered with the session and the key alone', async () => {
  const { token } = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const body = { trackId, hls: false }
  const response = await api.call('POST', 'listening-sessions', { body, bearer: token })
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({ hls: null, firstKey: {}, durationS: 180 })
  expect(text.length).toBeLessThan(1500)
})

test('a session token that opened keys opens none once it has expired', async () => {
  const clocked = makeTestApi()
  clocked.setNow(new Date())
  const { token: bearer } = await clocked.signIn()
  const { trackId } = await makeTrack(clocked.db)
  const started = await clocked.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  const { token } = await started.json<ListeningSession>()
  const ask = () => clocked.call('GET', keyPath(trackId, 0), { bearer: token })
  expect((await ask()).status).toBe(200)
  clocked.advance(599)
  expect((await ask()).status).toBe(200)
  clocked.advance(2)
  expect(await outcome(await ask())).toEqual([401, 'session-token-invalid'])
})

test('the first key is that of the period where play starts', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId, { positionS: 61 })
  expect(session.firstKey.url).toBe(`${ORIGIN}/api/v1/keys/${trackId}/1/15`)
})

test('a reload resumes the listening session of the same auth session and costs nothing', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const first = await start(listener, trackId)
  await beat(first.session.id, 3, first.session.token)
  const second = await start(listener, trackId)
  expect(second.response.status).toBe(200)
  expect(second.session.id).toBe(first.session.id)
  expect(second.session.quota.usedS).toBe(4)
  expect(second.session.positionS).toBe(3)
  await beat(first.session.id, 5, listener.token, 'complete')
  const replay = await start(listener, trackId)
  expect(replay.response.status).toBe(201)
  expect(replay.session.quota.usedS).toBe(8)
})

test('a key is 16 bytes that nothing may keep; the same one again costs nothing', async () => {
  const listener = await api.signIn()
  const { trackId, masterKey } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  for (let time = 0; time < 2; time++) {
    const response = await lease(session, trackId, 1)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const expected = await derivePeriodKey(masterKey, trackId, 1, 1)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(expected)
  }
  const inUrl = await api.call('GET', `${keyPath(trackId, 1)}?token=${session.token}`)
  expect(inUrl.status).toBe(200)
  const quota = await api.call('GET', 'quota', { bearer: listener.token })
  expect(await quota.json()).toMatchObject({ usedS: 8 })
})

const leaseRun = (session: { id: string; token: string }, body: unknown, bearer = session.token) =>
  api.call('POST', `listening-sessions/${session.id}/leases`, { body, bearer })

test('a run of keys comes in one answer with the quota, and costs nothing again', async () => {
  const listener = await api.signIn()
  const { trackId, masterKey } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  for (let time = 0; time < 2; time++) {
    const response = await leaseRun(session, { from: 1, count: 3 })
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const keys = await Promise.all(
      [1, 2, 3].map(async (period) => ({
        period,
        keyBase64: btoa(
          String.fromCharCode(...(await derivePeriodKey(masterKey, trackId, 1, period))),
        ),
      })),
    )
    expect(await response.json()).toMatchObject({ keys, quota: { usedS: 16, remainingS: 284 } })
  }
  // Half of it paid for; and the end of the track.
  const overlap = await leaseRun(session, { from: 3, count: 2 })
  expect(await overlap.json()).toMatchObject({ quota: { usedS: 20 } })
  const end = await (await leaseRun(session, { from: 44, count: 3 })).json<Leases>()
  expect(end.keys.map(({ period }) => period)).toEqual([44])
  expect(end.quota.usedS).toBe(24)
})

test('a run is granted as far as the day reaches, and refused when it is over', async () => {
  const listener = await api.signIn({ dailyLimitS: 13 })
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const first = await (await leaseRun(session, { from: 1, count: 2 })).json<Leases>()
  expect(first.quota).toMatchObject({ usedS: 12, remainingS: 1 })
  const last = await (await leaseRun(session, { from: 3, count: 3 })).json<Leases>()
  expect(last.keys.map(({ period }) => period)).toEqual([3])
  expect(last.quota).toMatchObject({ usedS: 16, remainingS: 0 })
  const refused = await leaseRun(session, { from: 4, count: 3 })
  expect(await outcome(refused)).toEqual([402, 'quota-exhausted'])
  expect((await leaseRun(session, { from: 2, count: 3 })).status).toBe(200)
})

test.each([{}, { from: 1 }, { from: -1, count: 1 }, { from: 1, count: 0 }, { from: 1, count: 4 }])(
  'the run %j is refused',
  async (body) => {
    const listener = await api.signIn()
    const { session } = await start(listener, (await makeTrack(api.db)).trackId)
    expect(await outcome(await leaseRun(session, body))).toEqual([422, 'validation-failed'])
  },
)

test('a run is refused without the token of its session, and behind the end of the track', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const { session: other } = await start(await api.signIn(), trackId)
  const body = { from: 1, count: 3 }
  const path = `listening-sessions/${session.id}/leases`
  expect(await outcome(await api.call('POST', path, { body }))).toEqual([
    401,
    'session-token-invalid',
  ])
  for (const [bearer, ...refused] of [
    [listener.token, 401, 'session-token-invalid'],
    [other.token, 404, 'not-found'],
  ] as const)
    expect(await outcome(await leaseRun(session, body, bearer))).toEqual(refused)
  expect(await outcome(await leaseRun(session, { from: 45, count: 3 }))).toEqual([404, 'not-found'])
  await beat(session.id, 1, session.token, 'complete')
  expect(await outcome(await leaseRun(session, body))).toEqual([409, 'session-ended'])
})

test('a key is refused without a session token, and with one of another track', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const other = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const path = keyPath(trackId, 0)
  expect(await outcome(await api.call('GET', path))).toEqual([401, 'session-token-invalid'])
  const access = await api.call('GET', path, { bearer: listener.token })
  expect(await outcome(access)).toEqual([401, 'session-token-invalid'])
  expect(await outcome(await lease(session, other.trackId, 0))).toEqual([403, 'wrong-track'])
  const version = await api.call('GET', keyPath(trackId, 0, 2), { bearer: session.token })
  expect(await outcome(version)).toEqual([403, 'wrong-track'])
  const asAccess = await api.call('GET', 'auth/me', { bearer: session.token })
  expect(asAccess.status).toBe(401)
})

test.each(['-1', '1.5', 'x', '99999999999', '46', '1e1'])(
  'there is no key period %s',
  async (period) => {
    const listener = await api.signIn()
    const { trackId } = await makeTrack(api.db)
    const { session } = await start(listener, trackId)
    const response = await api.call('GET', `keys/${trackId}/1/${period}`, { bearer: session.token })
    expect(await outcome(response)).toEqual([404, 'not-found'])
  },
)

const encode = (value: unknown) =>
  btoa(JSON.stringify(value)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

test('tokens with another algorithm, key, audience or an old date open nothing', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const [header = '', payload = '', signature = ''] = session.token.split('.')
  const original = JSON.parse(atob(header))
  const claims = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')))
  const forged = [
    `${encode({ ...original, alg: 'none' })}.${payload}.`,
    `${encode({ ...original, alg: 'None' })}.${payload}.${signature}`,
    `${encode({ ...original, alg: 'RS256' })}.${payload}.${signature}`,
    `${encode({ ...original, alg: 'HS512' })}.${payload}.${signature}`,
    `${header}.${encode({ ...claims, exp: claims.exp + 1 })}.${signature}`,
    `${header}.${payload}.${'A'.repeat(43)}`,
    `${header}.${payload}`,
    'nonsense',
  ]
  for (const bearer of forged)
    expect(await outcome(await api.call('GET', keyPath(trackId, 0), { bearer }))).toEqual([
      401,
      'session-token-invalid',
    ])
  const foreign = makeTestApi({ JWT_SECRET: 'another secret of 32 characters or more' })
  const claimsOfSession = await api.deps.tokens.readSession(session.token)
  const { token } = await foreign.deps.tokens.issueSession(claimsOfSession!, 600)
  const response = await api.call('GET', keyPath(trackId, 0), { bearer: token })
  expect(response.status).toBe(401)
  const { token: access } = await foreign.deps.tokens.issueAccess({
    userId: listener.userId,
    familyId: listener.familyId,
    role: 'admin',
    plan: 'premium',
  })
  expect((await api.call('GET', 'jobs', { bearer: access })).status).toBe(401)
})

test('an expired session token is refused; a heartbeat renews it in time', async () => {
  const late = makeTestApi()
  const listener = await late.signIn()
  const { trackId } = await makeTrack(late.db)
  const bearer = listener.token
  const started = await late.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  const session = await started.json<ListeningSession>()
  const call = (token: string) => late.call('GET', keyPath(trackId, 1), { bearer: token })
  late.advance(500)
  const beaten = await late.call('POST', `listening-sessions/${session.id}/heartbeat`, {
    body: { positionS: 1 },
    bearer: session.token,
  })
  const { token, expiresAt } = await beaten.json<Heartbeat>()
  expect(Date.parse(expiresAt)).toBeGreaterThan(Date.parse(session.expiresAt))
  late.advance(101)
  expect(await outcome(await call(session.token))).toEqual([401, 'session-token-invalid'])
  expect((await call(token)).status).toBe(200)
})

test('a token lives long enough to play a long track through without heartbeats', async () => {
  const listener = await api.signIn({ plan: 'premium' })
  const { trackId } = await makeTrack(api.db, { durationS: 3600 })
  const { session } = await start(listener, trackId)
  const lifeS = (Date.parse(session.expiresAt) - Date.now()) / 1000
  expect(lifeS).toBeGreaterThan(3600 + 290)
})

test('the budget ends with the period that uses it up, and says when it returns', async () => {
  const slow = makeTestApi()
  slow.setNow(new Date('2030-05-05T22:00:00Z'))
  const listener = await slow.signIn()
  const { token: bearer } = await slow.deps.tokens.issueAccess({
    ...listener,
    role: 'user',
    plan: 'free',
  })
  const { trackId } = await makeTrack(slow.db, { durationS: 600 })
  const started = await slow.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  const session = await started.json<ListeningSession>()
  const statuses = []
  for (let period = 1; period < 75; period++) {
    slow.advance(4)
    const key = await slow.call('GET', keyPath(trackId, period), { bearer: session.token })
    statuses.push(key.status)
    await key.arrayBuffer()
  }
  expect(statuses).toEqual(Array.from({ length: 74 }, () => 200))
  slow.advance(4)
  const beyond = await slow.call('GET', keyPath(trackId, 75), { bearer: session.token })
  expect(await outcome(beyond)).toEqual([402, 'quota-exhausted'])
  expect(Number(beyond.headers.get('retry-after'))).toBe(7200 - 75 * 4)
  const again = await slow.call('GET', keyPath(trackId, 3), { bearer: session.token })
  expect(again.status).toBe(200)
  await slow.call('POST', `listening-sessions/${session.id}/complete`, {
    body: { positionS: 1 },
    bearer,
  })
  const next = await slow.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  expect(next.status).toBe(402)
  expect(await next.json()).toMatchObject({
    type: expect.stringMatching(/problems\/quota-exhausted$/),
    retryAfterS: 7200 - 75 * 4,
    resetsAt: expect.stringMatching(/T00:00:00\.000Z$/),
  })
  const quota = await slow.call('GET', 'quota', { bearer })
  expect(await quota.json()).toEqual({
    limitS: 300,
    usedS: 300,
    remainingS: 0,
    unlimited: false,
    resetsAt: '2030-05-06T00:00:00.000Z',
  })
})

test('keys are given at the pace of listening', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db, { durationS: 600 })
  const { session } = await start(listener, trackId)
  const responses = []
  for (let period = 1; period < 55; period++) responses.push(await lease(session, trackId, period))
  const refused = responses.filter((response) => response.status === 429)
  expect(responses.map((response) => response.status).indexOf(429)).toBeGreaterThanOrEqual(44)
  for (const response of responses) if (response.ok) await response.arrayBuffer()
  expect(refused[0]?.headers.get('retry-after')).toMatch(/^[1-4]$/)
  expect(await problemCode(refused[0]!)).toBe('too-early')
})

test('a second device supersedes the first on the free plan', async () => {
  const listener = await api.signIn()
  const elsewhere = await api.signInAgain(listener.userId)
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  await start(elsewhere, trackId)
  expect(await outcome(await lease(session, trackId, 1))).toEqual([409, 'superseded'])
  expect(await outcome(await beat(session.id, 1, listener.token))).toEqual([409, 'superseded'])
})

test('a session that is over, or whose listener is blocked, opens nothing', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const done = await beat(session.id, 1, session.token, 'complete')
  expect(done.status).toBe(200)
  expect(await outcome(await lease(session, trackId, 1))).toEqual([409, 'session-ended'])
  expect(await outcome(await beat(session.id, 1, session.token))).toEqual([409, 'session-ended'])
  const again = await beat(session.id, 1, session.token, 'complete')
  expect(await again.json()).toEqual(await done.json())

  const next = await start(listener, trackId)
  await api.db.$client`update users set blocked_at = now() where id = ${listener.userId}`
  const refused = await lease(next.session, trackId, 1)
  expect(await outcome(refused)).toEqual([403, 'account-blocked'])
  const restart = await start(listener, trackId)
  expect(await outcome(restart.response)).toEqual([403, 'account-blocked'])
})

test('a session needs a track that is there and ready, and a listener', async () => {
  const listener = await api.signIn()
  const missing = await start(listener, crypto.randomUUID())
  expect(await outcome(missing.response)).toEqual([404, 'not-found'])
  const { trackId } = await makeTrack(api.db)
  await api.db.$client`update tracks set published_at = null, version = null where id = ${trackId}`
  const unready = await start(listener, trackId)
  expect(await outcome(unready.response)).toEqual([409, 'track-not-ready'])
  const anonymous = await api.call('POST', 'listening-sessions', { body: { trackId } })
  expect(await outcome(anonymous)).toEqual([401, 'signed-out'])
  const nonsense = await start(listener, 'nonsense')
  expect(await outcome(nonsense.response)).toEqual([422, 'validation-failed'])
})

test.each(['-1', '"12"', 'null', 'NaN', '1e999', '-1e999', '{}'])(
  'the position %s is refused',
  async (positionS) => {
    const listener = await api.signIn()
    const { trackId } = await makeTrack(api.db)
    const { session } = await start(listener, trackId)
    for (const what of ['heartbeat', 'complete']) {
      const response = await api.call('POST', `listening-sessions/${session.id}/${what}`, {
        body: `{"positionS":${positionS}}`,
        bearer: session.token,
      })
      const expected = positionS === 'NaN' ? [400, 'malformed-request'] : [422, 'validation-failed']
      expect(await outcome(response)).toEqual(expected)
    }
  },
)

test('a position beyond the track, or beyond what was leased, is refused', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  for (const position of [181.5, 1e300, 6])
    expect(await outcome(await beat(session.id, position, session.token))).toEqual([
      422,
      'invalid-position',
    ])
  expect((await beat(session.id, 3, session.token)).status).toBe(200)
})

test('no listener reports for the session of another', async () => {
  const listener = await api.signIn()
  const stranger = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const theirs = await start(stranger, trackId)
  for (const bearer of [stranger.token, theirs.session.token])
    expect(await outcome(await beat(session.id, 1, bearer))).toEqual([404, 'not-found'])
  const anonymous = await api.call('POST', `listening-sessions/${session.id}/heartbeat`, {
    body: { positionS: 1 },
  })
  expect(anonymous.status).toBe(401)
  expect((await beat('nonsense', 1, listener.token)).status).toBe(404)
})

test('a play that counted is in the history once, and in the totals', async () => {
  const clocked = makeTestApi()
  clocked.setNow(new Date('2030-06-06T10:00:00Z'))
  const { userId, familyId } = await clocked.signIn({ plan: 'premium' })
  const { token: bearer } = await clocked.deps.tokens.issueAccess({
    userId,
    familyId,
    role: 'user',
    plan: 'premium',
  })
  const tracks = [
    await makeTrack(clocked.db, { title: 'One' }),
    await makeTrack(clocked.db, { title: 'Two' }),
  ]
  for (const { trackId } of tracks) {
    const started = await clocked.call('POST', 'listening-sessions', { body: { trackId }, bearer })
    const { id, token } = await started.json<ListeningSession>()
    for (let period = 1; period < 45; period++) {
      clocked.advance(4)
      await clocked.call('GET', keyPath(trackId, period), { bearer: token })
    }
    const heard = await clocked.call('POST', `listening-sessions/${id}/heartbeat`, {
      body: { positionS: 100 },
      bearer,
    })
    expect(await heard.json()).toMatchObject({ heardS: 100 })
    clocked.advance(80)
    const done = await clocked.call('POST', `listening-sessions/${id}/complete`, {
      body: { positionS: 180 },
      bearer,
    })
    expect(await done.json<Completion>()).toMatchObject({ heardS: 180, counted: true })
    await clocked.call('POST', `listening-sessions/${id}/complete`, {
      body: { positionS: 180 },
      bearer,
    })
  }
  const plays: Play[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = `limit=1${cursor && `&cursor=${cursor}`}`
    const page: Page<Play> = await (
      await clocked.call('GET', `me/history?${query}`, { bearer })
    ).json()
    plays.push(...page.items)
    cursor = page.nextCursor
  }
  expect(plays.map((play) => [play.track.title, play.heardS, play.completed])).toEqual([
    ['Two', 180, true],
    ['One', 180, true],
  ])
  const totals = await clocked.call('GET', 'me/totals', { bearer })
  expect(await totals.json()).toEqual({ plays: 2, completions: 2 })
})

const names = (session: ListeningSession) =>
  Object.keys(session.hls!.playlists).map((url) => /(\w+)\.m3u8/.exec(url)?.[1])

test('premium gets all renditions and has no limit; free and visitors get up to 192 kbit/s', async () => {
  const free = await api.signIn()
  const premium = await api.signIn({ plan: 'premium' })
  const { trackId } = await makeTrack(api.db)
  await api.db.$client`update renditions set bitrate = 320000, name = '320k'
    where track_id = ${trackId} and name = '192k'`
  expect(names((await start(free, trackId)).session)).toEqual(['master', '64k', '128k'])
  const { session } = await start(premium, trackId)
  expect(names(session)).toEqual(['master', '64k', '128k', '320k'])
  expect(session.quota).toMatchObject({ limitS: null, remainingS: null, unlimited: true })
  const path = `tracks/${trackId}/hls/320k.m3u8`
  expect((await api.call('GET', path)).status).toBe(404)
  expect((await api.call('GET', `${path}?token=${session.token}`)).status).toBe(200)
})

test('with a token in the URL, playlists carry it to each other and to the keys', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  const query = `token=${session.token}`
  const master = await api.call('GET', `tracks/${trackId}/hls/master.m3u8?${query}`)
  expect(master.headers.get('content-type')).toBe('application/vnd.apple.mpegurl')
  const url = /^\/api.*64k.*$/m.exec(await master.text())?.[0] ?? ''
  expect(url).toBe(`/api/v1/tracks/${trackId}/hls/64k.m3u8?v=1&${query}`)
  const media = await (await api.call('GET', ORIGIN + url)).text()
  const keyUrl = /URI="(\/api\/v1\/keys[^"]+\/0\?[^"]+)"/.exec(media)?.[1] ?? ''
  expect((await api.call('GET', ORIGIN + keyUrl)).status).toBe(200)
  expect(media).toContain(`\n/api/v1/media/tracks/${trackId}/1/64k/0.m4s\n`)
  const wrong = await api.call('GET', `tracks/${trackId}/hls/master.m3u8?token=nonsense`)
  expect(await outcome(wrong)).toEqual([401, 'session-token-invalid'])
  const other = await makeTrack(api.db)
  const stolen = await api.call('GET', `tracks/${other.trackId}/hls/master.m3u8?${query}`)
  expect(await outcome(stolen)).toEqual([403, 'wrong-track'])
})

test.each(['master.m3u8?v=7', '999k.m3u8', 'master.mpd', '..%2Fmaster.m3u8'])(
  'there is no playlist %s',
  async (name) => {
    const { trackId } = await makeTrack(api.db)
    const response = await api.call('GET', `tracks/${trackId}/hls/${name}`)
    expect(await outcome(response)).toEqual([404, 'not-found'])
  },
)

test('no token, key or query is ever logged', async () => {
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const { session } = await start(listener, trackId)
  await api.call('GET', `${keyPath(trackId, 1)}?token=${session.token}`)
  await api.call('GET', `${keyPath(trackId, 99)}?token=${session.token}`)
  await api.call('GET', `tracks/${trackId}/hls/master.m3u8?token=${session.token}`)
  await leaseRun(session, { from: 1, count: 3 })
  await leaseRun(session, { from: 99, count: 3 })
  const logged = api.lines.join('\n')
  expect(logged).toContain(keyPath(trackId, 99))
  // A key that was given is no news.
  expect(logged).not.toContain(`${keyPath(trackId, 1)}"`)
  // A refused run is worth a line, a granted one is not.
  expect(logged.split(`${session.id}/leases"`)).toHaveLength(2)
  for (const secret of [session.token, listener.token, session.firstKey.keyBase64, 'token='])
    expect(logged).not.toContain(secret)
})

test('with a CDN in front of the bucket, playlists and covers point there', async () => {
  const cdn = makeTestApi({ MEDIA_BASE_URL: 'https://cdn.example/' })
  const { trackId } = await makeTrack(cdn.db)
  const { token } = await cdn.signIn()
  const started = await cdn.call('POST', 'listening-sessions', { body: { trackId }, bearer: token })
  const { hls } = await started.json<ListeningSession>()
  expect(Object.keys(hls!.inits)[0]).toBe(`https://cdn.example/tracks/${trackId}/1/64k/init.mp4`)
  const playlist = hls!.playlists[`${ORIGIN}/api/v1/tracks/${trackId}/hls/64k.m3u8?v=1`]
  expect(playlist).toContain(`\nhttps://cdn.example/tracks/${trackId}/1/64k/0.m4s\n`)
  expect(playlist).toContain(`URI="/api/v1/keys/${trackId}/1/0"`)
})

test('a long track has a playlist with all its periods', async () => {
  const listener = await api.signIn({ plan: 'premium' })
  const { trackId } = await makeTrack(api.db, { durationS: 3600 })
  const { session } = await start(listener, trackId)
  const text = Object.values(session.hls!.playlists)[1] ?? ''
  const keys = new Set([...text.matchAll(/keys\/[^"]+\/(\d+)"/g)].map((match) => match[1]))
  const timing = { sampleRate: 44_100, sampleCount: 3600 * 44_100, primingSamples: 1024 }
  expect(keys.size).toBe(periodCount(timing, 1))
})

/** What Swift makes of a UUID. */
const swift = (text: string) =>
  text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => id.toUpperCase())

test('identifiers in capitals mean the same, at every door, and are charged once', async () => {
  const listener = await api.signIn()
  const { trackId, masterKey } = await makeTrack(api.db)
  const { response, session } = await start(listener, swift(trackId))
  expect(response.status).toBe(201)
  expect(JSON.stringify(session)).not.toContain(swift(trackId))
  const first = await derivePeriodKey(masterKey, trackId, 1, 0)
  expect(session.firstKey.keyBase64).toBe(btoa(String.fromCharCode(...first)))
  const again = await start(listener, trackId)
  expect([again.response.status, again.session.id]).toEqual([200, session.id])

  const key = await lease(session, swift(trackId), 1)
  expect(new Uint8Array(await key.arrayBuffer())).toEqual(
    await derivePeriodKey(masterKey, trackId, 1, 1),
  )
  for (const bearer of [session.token, listener.token])
    expect((await beat(swift(session.id), 1, bearer)).status).toBe(200)
  const master = await api.call(
    'GET',
    `tracks/${swift(trackId)}/hls/master.m3u8?token=${session.token}`,
  )
  expect(await master.text()).not.toContain(swift(trackId))
  expect((await api.call('GET', `tracks/${swift(trackId)}`)).status).toBe(200)
  const quota = await api.call('GET', 'quota', { bearer: listener.token })
  expect(await quota.json()).toMatchObject({ usedS: 8 })
})

test('claims and cursors in capitals are read in lower case', async () => {
  const { userId, familyId } = await api.signIn()
  const claims = { userId: swift(userId), familyId: swift(familyId), role: 'user', plan: 'free' }
  const { token } = await api.deps.tokens.issueAccess(
    claims as Parameters<typeof api.deps.tokens.issueAccess>[0],
  )
  expect(await api.deps.tokens.readAccess(token)).toMatchObject({ userId, familyId })
  const cursor = btoa(JSON.stringify(['2026-01-01T00:00:00.000000Z', swift(userId)]))
  expect(decodeCursor(cursor)).toEqual({ at: '2026-01-01T00:00:00.000000Z', id: userId })
})
