import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { PROBLEMS } from '@mist/db/contract'
import { makeTrack } from '@mist/db/testing/factories'
import { expect, test } from 'vitest'
import wrangler from '../../wrangler.toml?raw'
import { BadEnv, readEnv } from './env.ts'
import worker from './index.ts'
import { RATE_LIMITS } from './middleware/rate-limit.ts'
import { housekeeping } from './schedules/housekeeping.ts'
import { makeTestApi, ORIGIN, problemCode } from './testing/api.ts'
import { ownEnv } from './testing/own-database.ts'

const api = makeTestApi()
/** A rate limit that is reached soon; wrangler's types do not know it. */
const { LIMITED } = ownEnv as unknown as { LIMITED: unknown }

test('a refusal is a problem that says what, where and which request', async () => {
  const response = await api.call('GET', 'nowhere?token=secret', {
    headers: { 'x-request-id': 'my-request-1' },
  })
  expect(response.status).toBe(404)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.headers.get('x-request-id')).toBe('my-request-1')
  expect(await response.json()).toEqual({
    type: `${ORIGIN}/api/v1/problems/not-found`,
    title: 'There is nothing here',
    status: 404,
    detail: expect.any(String),
    instance: '/api/v1/nowhere',
    requestId: 'my-request-1',
  })
})

test('a request id that could do harm is replaced', async () => {
  const response = await api.call('GET', 'nowhere', { headers: { 'x-request-id': 'a"b{}\t<' } })
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('each kind of refusal has a page', async () => {
  for (const code of Object.keys(PROBLEMS)) {
    const response = await api.call('GET', `problems/${code}`)
    expect(await response.json()).toMatchObject({ code })
  }
  const page = await api.call('GET', 'problems/too-early', { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain('Too far ahead of the music')
  expect((await api.call('GET', 'problems/toString')).status).toBe(404)
})

test('a body that is no JSON, and one that is too large, are refused', async () => {
  const broken = await api.call('POST', 'auth/login', { body: '{"email":' })
  expect([broken.status, await problemCode(broken)]).toEqual([400, 'malformed-request'])
  const huge = await api.call('POST', 'auth/login', { body: `"${'x'.repeat(1_000_001)}"` })
  expect([huge.status, await problemCode(huge)]).toEqual([413, 'body-too-large'])
  const form = await api.call('POST', 'auth/login', {
    body: '{"email":"a@b.example","password":"x"}',
    headers: { 'content-type': 'text/plain' },
  })
  expect(form.status).toBeGreaterThanOrEqual(400)
})

const preflight = (origin: string) =>
  api.call('OPTIONS', 'quota', {
    headers: { origin, 'access-control-request-method': 'GET' },
  })

test('pages of the allow-list may call the API with cookies; others may not', async () => {
  const allowed = (await preflight('https://music.example')).headers
  expect(allowed.get('access-control-allow-origin')).toBe('https://music.example')
  expect(allowed.get('access-control-allow-credentials')).toBe('true')
  const refused = (await preflight('https://evil.example')).headers
  expect(refused.get('access-control-allow-origin')).toBeNull()
})

test('every answer carries the headers that keep browsers careful', async () => {
  const { headers } = await api.call('GET', 'tracks')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('strict-transport-security')).toContain('max-age')
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  const { headers: quota } = await api.call('GET', 'quota')
  expect(quota.get('cache-control')).toBe('no-store')
  expect(quota.get('www-authenticate')).toContain('Bearer')
})

test('the OpenAPI document describes every route of the main path', async () => {
  const response = await api.call('GET', 'openapi.json')
  type Document = {
    openapi: string
    paths: Record<string, Record<string, { responses: object }>>
    components: { schemas: Record<string, object> }
  }
  const { openapi, paths, components } = await response.json<Document>()
  expect(openapi).toBe('3.1.0')
  for (const [method, path, ...statuses] of [
    ['post', '/auth/register', '201', '409', '422'],
    ['post', '/auth/login', '200', '401'],
    ['post', '/auth/refresh', '200', '401'],
    ['get', '/auth/me', '200', '401'],
    ['post', '/uploads', '201', '401', '403', '413', '415'],
    ['post', '/uploads/{uploadId}/complete', '202', '409'],
    ['get', '/jobs/{jobId}', '200', '404'],
    ['get', '/tracks', '200'],
    ['get', '/tracks/{id}', '200', '404'],
    ['get', '/tracks/{id}/similar', '200', '404'],
    ['post', '/listening-sessions', '200', '201', '402', '404', '409'],
    [
      'post',
      '/listening-sessions/{id}/leases',
      '200',
      '401',
      '402',
      '403',
      '404',
      '409',
      '422',
      '429',
    ],
    ['get', '/keys/{trackId}/{version}/{period}', '200', '401', '402', '403', '404', '409', '429'],
    ['post', '/listening-sessions/{id}/heartbeat', '200', '422'],
    ['post', '/listening-sessions/{id}/complete', '200', '422'],
    ['get', '/quota', '200'],
  ] as const) {
    const documented = paths[`/api/v1${path}`]?.[method]?.responses ?? {}
    expect([path, Object.keys(documented)]).toEqual([path, expect.arrayContaining([...statuses])])
  }
  expect(Object.keys(components.schemas)).toEqual(
    expect.arrayContaining(['Track', 'Problem', 'Job', 'ListeningSession', 'Quota', 'User']),
  )
  const docs = await api.call('GET', 'docs')
  const page = await docs.text()
  expect(page).toContain('/api/v1/listening-sessions')
  expect(page).not.toContain('<script')
})

test('an unavailable Postgres is a 503 that says when to try again, and leaks nothing', async () => {
  const lost = makeTestApi({ NEON_PROXY_URL: 'http://127.0.0.1:9' })
  const { trackId } = await makeTrack(api.db).catch(() => ({ trackId: crypto.randomUUID() }))
  const answers = [
    await lost.call('GET', `tracks/${trackId}`),
    await lost.call('POST', 'auth/login', {
      body: { email: 'a@b.example', password: 'secret-word' },
    }),
  ]
  // The driver's configuration is one per isolate: put it back for the other tests.
  makeTestApi()
  for (const response of answers) {
    expect(response.headers.get('retry-after')).toBe('5')
    const text = await response.text()
    expect([response.status, text]).toEqual([503, expect.stringContaining('problems/unavailable')])
    expect(JSON.parse(text)).toMatchObject({ retryAfterS: 5 })
    expect(text).not.toContain('127.0.0.1')
  }
  expect(lost.lines.join('\n')).not.toContain('secret-word')
  expect(lost.lines.join('\n')).not.toContain('a@b.example')
})

test('an answer with a key is 16 bytes that no cache keeps, with every header that others have', async () => {
  const limited = makeTestApi({ RATE_LIMIT_KEYS: LIMITED })
  const { token: bearer } = await limited.signIn()
  const { trackId } = await makeTrack(limited.db)
  const started = await limited.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  const { token } = await started.json<{ token: string }>()
  for (const period of [1, 1]) {
    const answer = await limited.call('GET', `keys/${trackId}/1/${period}`, {
      bearer: token,
      headers: { 'cf-connecting-ip': '192.0.2.9' },
    })
    expect((await answer.arrayBuffer()).byteLength).toBe(16)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
      'ratelimit-policy': '"keys";q=1800;w=60',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    })
  }
})

test('too many requests from one address are refused for a while; another address passes', async () => {
  const limited = makeTestApi({ RATE_LIMIT_KEYS: LIMITED })
  const ask = (address: string) =>
    limited.call('GET', `keys/${crypto.randomUUID()}/1/0`, {
      headers: { 'cf-connecting-ip': address },
    })
  const answers = []
  for (let asked = 0; asked < 5; asked++) answers.push(await ask('192.0.2.1'))
  expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 429, 429])
  const last = answers.at(-1)!
  expect(answers[0]!.headers.get('ratelimit-policy')).toBe('"keys";q=1800;w=60')
  expect(last.headers.get('ratelimit-policy')).toBe('"keys";q=1800;w=60')
  expect(last.headers.get('ratelimit')).toBe('"keys";r=0;t=60')
  expect(last.headers.get('retry-after')).toBe('60')
  expect(await problemCode(last)).toBe('rate-limited')
  expect((await ask('192.0.2.2')).status).toBe(401)
})

test('the limits that headers tell are those of wrangler.toml', () => {
  for (const [name, { limit, periodS }] of Object.entries(RATE_LIMITS))
    expect(wrangler).toMatch(
      new RegExp(
        `name = "RATE_LIMIT_${name.toUpperCase()}"\\n.*\\nsimple = \\{ limit = ${limit}, period = ${periodS} \\}`,
      ),
    )
})

const attempt = () =>
  readEnv({ ...ownEnv, JWT_SECRET: 'tooshort', S3_ENDPOINT: '', CONTENT_KEY_SECRET: 'k1:c2VjcmV0' })

test('a bad environment is refused with the names of the variables, and no value', () => {
  expect(attempt).toThrow(BadEnv)
  expect(attempt).toThrow(/JWT_SECRET: .*openssl rand/)
  expect(attempt).toThrow(/S3_ENDPOINT/)
  expect(attempt).toThrow(/CONTENT_KEY_SECRET/)
  expect(attempt).not.toThrow(/tooshort|c2VjcmV0/)
})

test('the Worker itself answers requests and runs its schedule', async () => {
  const request = new Request(`${ORIGIN}/api/v1/problems/internal`) as Parameters<
    typeof worker.fetch
  >[0]
  const response = await worker.fetch(request, ownEnv, createExecutionContext())
  expect(await response.json()).toMatchObject({ code: 'internal' })
  for (const cron of ['*/5 * * * *', '* * * * *'])
    await worker.scheduled(createScheduledController({ cron }), ownEnv)
})

test('every minute a plan that has changed reaches its listeners', async () => {
  const listening = makeTestApi()
  const { userId, token } = await listening.signIn()
  const limitS = async () => {
    const quota = await listening.call('GET', 'quota', { bearer: token })
    return (await quota.json<{ limitS: number }>()).limitS
  }
  expect(await limitS()).toBe(300)
  const { $client: sql } = listening.db
  await sql`insert into plans (id, name, daily_ms, devices, pace_depth_ms, pace_rate)
            values ('guest', 'Guest', 60000, 1, 180000, 1.25)`
  await sql`update users set plan = 'guest' where id = ${userId}`
  expect(await limitS()).toBe(60)
  await sql`update plans set daily_ms = 90000 where id = 'guest'`
  await worker.scheduled(createScheduledController({ cron: '* * * * *' }), ownEnv)
  expect(await limitS()).toBe(90)
})

test('housekeeping ends what was left open and deletes what is no longer needed', async () => {
  const kept = makeTestApi()
  const { userId, familyId, token } = await kept.signIn()
  const { trackId } = await makeTrack(kept.db)
  const started = await kept.call('POST', 'listening-sessions', {
    body: { trackId },
    bearer: token,
  })
  const { id } = await started.json<{ id: string }>()
  const stale = await kept.signInAgain(userId)
  await kept.db.$client`
    update refresh_families set expires_at = now() - interval '8 days' where id = ${stale.familyId}`
  const count = async () => {
    const [row] = await kept.db.$client`
      select (select count(*)::int from listening_sessions where id = ${id}) as sessions,
             (select end_reason from listening_sessions where id = ${id}) as reason,
             (select count(*)::int from refresh_families where user_id = ${userId}) as families`
    return row
  }
  await housekeeping(kept.deps)
  expect(await count()).toEqual({ sessions: 1, reason: null, families: 1 })
  kept.advance(1801)
  await housekeeping(kept.deps)
  expect(await count()).toEqual({ sessions: 1, reason: 'expired', families: 1 })
  kept.advance(8 * 24 * 3600)
  await housekeeping(kept.deps)
  expect(await count()).toEqual({ sessions: 0, reason: null, families: 1 })
  expect(kept.lines.at(-1)).not.toContain('failed')
  expect(familyId).toBeDefined()
})
