import { REFRESH_GRACE_S } from '@mist/db/contract'
import { expect, test } from 'vitest'
import { makeTrack } from '@mist/db/testing/factories'
import type { AuthTokens } from '../contract/accounts.ts'
import { makeTestApi, ORIGIN, problemCode } from '../testing/api.ts'

const api = makeTestApi()
const password = 'correct horse battery'

let count = 0
function someone() {
  count += 1
  const name = `ada${Date.now()}${count}`
  return { email: `${name}@Example.org`, username: name, password }
}

async function register(person = someone()): Promise<AuthTokens> {
  const response = await api.call('POST', 'auth/register', { body: person })
  expect(response.status).toBe(201)
  return response.json()
}

const refreshWith = (refreshToken: string) =>
  api.call('POST', 'auth/refresh', { body: { refreshToken } })

test('registering answers with the account, both tokens and cookies that scripts cannot read', async () => {
  const person = someone()
  const response = await api.call('POST', 'auth/register', { body: person })
  expect(response.status).toBe(201)
  const cookies = response.headers.getSetCookie()
  expect(cookies).toHaveLength(2)
  for (const cookie of cookies)
    expect(cookie).toMatch(
      /^__Host-mist_(access|refresh)=.*Path=\/.*HttpOnly; Secure; SameSite=Lax/,
    )
  const issued = await response.json<AuthTokens>()
  expect(issued.user).toEqual({
    id: expect.any(String),
    email: person.email.toLowerCase(),
    username: person.username,
    role: 'user',
    plan: 'free',
  })
  const lifeMs = Date.parse(issued.accessExpiresAt) - Date.now()
  expect(lifeMs).toBeGreaterThan(14 * 60_000)
  expect(lifeMs).toBeLessThanOrEqual(15 * 60_000)
  const me = await api.call('GET', 'auth/me', { bearer: issued.accessToken })
  expect(await me.json()).toEqual({ user: issued.user })
})

test('an e-mail address is taken whatever its case, and so is a username', async () => {
  const person = someone()
  await register(person)
  const sameEmail = { ...someone(), email: person.email.toUpperCase() }
  const first = await api.call('POST', 'auth/register', { body: sameEmail })
  expect([first.status, await problemCode(first)]).toEqual([409, 'email-taken'])
  const sameName = { ...someone(), username: person.username.toUpperCase() }
  const second = await api.call('POST', 'auth/register', { body: sameName })
  expect([second.status, await problemCode(second)]).toEqual([409, 'username-taken'])
})

test.each([
  ['email', { email: 'nobody' }],
  ['username', { username: 'a b' }],
  ['username', { username: 'ab' }],
  ['password', { password: 'short one' }],
  ['password', { password: 'five🎵' }],
  ['password', { password: 'xyzzy plugh '.repeat(17) }],
  ['password', { password: 'x'.repeat(100_000) }],
  ['password', { password: 'password123' }],
  ['password', { password: '1234567890' }],
  ['password', { password: ' '.repeat(10) }],
  ['password', { username: 'Countess-Ada', password: 'countess ada 1815' }],
])('a registration with an unusable %s is refused and says which', async (path, wrong) => {
  const response = await api.call('POST', 'auth/register', { body: { ...someone(), ...wrong } })
  expect(response.status).toBe(422)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = await response.json<{ errors: { path: string }[] }>()
  expect(problem.errors.map((error) => error.path)).toEqual([path])
})

test('logging in needs the right password; a wrong one and an unknown address look alike', async () => {
  const person = someone()
  await register(person)
  const { email } = person
  const right = await api.call('POST', 'auth/login', { body: { email, password } })
  expect(right.status).toBe(200)
  const answers = await Promise.all(
    [
      { email, password: 'wrong password' },
      { email: 'unknown@example.org', password },
    ].map((body) => api.call('POST', 'auth/login', { body })),
  )
  for (const answer of answers)
    expect([answer.status, await problemCode(answer)]).toEqual([401, 'invalid-credentials'])
})

const time = async (email: string) => {
  const started = performance.now()
  await api.call('POST', 'auth/login', { body: { email, password: 'wrong password' } })
  return performance.now() - started
}

test('an unknown address takes as long to refuse as a wrong password', async () => {
  const person = someone()
  await register(person)
  await time(person.email)
  const known = Math.min(await time(person.email), await time(person.email))
  const unknown = Math.min(await time('nobody@example.org'), await time('nobody@example.org'))
  expect(unknown).toBeGreaterThan(known / 3)
})

test('a hash with older parameters is replaced at the next login', async () => {
  const email = `old${Date.now()}@example.org`
  const { userId } = await api.signIn({
    email,
    // Python: hashlib.scrypt(b'correct horse battery', salt=b'old salt', n=1024, r=8, p=1, dklen=32)
    passwordHash: '$scrypt$ln=10,r=8,p=1$b2xkIHNhbHQ$7NvBysbm/PpOUNL4nnmby4xAUQXJRlvOo0al4coN+Wk',
  })
  const login = () => api.call('POST', 'auth/login', { body: { email, password } })
  expect((await login()).status).toBe(200)
  const [row] = await api.db.$client`select password_hash from users where id = ${userId}`
  expect(row?.['password_hash']).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$/)
  expect((await login()).status).toBe(200)
})

test('a refresh token whose answer was lost gets the same successor, for half a minute', async () => {
  const first = await register()
  const [lost, again] = await Promise.all([
    refreshWith(first.refreshToken),
    refreshWith(first.refreshToken),
  ])
  expect([lost.status, again.status]).toEqual([200, 200])
  const [one, other] = [await lost.json<AuthTokens>(), await again.json<AuthTokens>()]
  expect(one.refreshToken).not.toBe(first.refreshToken)
  expect(other.refreshToken).toBe(one.refreshToken)
  expect(other.refreshExpiresAt).toBe(one.refreshExpiresAt)
  const me = await api.call('GET', 'auth/me', { bearer: other.accessToken })
  expect(me.status).toBe(200)
  const next = await (await refreshWith(one.refreshToken)).json<AuthTokens>()
  expect(next.refreshToken).not.toBe(one.refreshToken)
  expect((await refreshWith(next.refreshToken)).status).toBe(200)
})

test('a refresh token that comes again too late ends the whole family', async () => {
  const first = await register()
  api.setNow(new Date())
  try {
    const rotated = await (await refreshWith(first.refreshToken)).json<AuthTokens>()
    api.advance(REFRESH_GRACE_S)
    const reused = await refreshWith(first.refreshToken)
    expect([reused.status, await problemCode(reused)]).toEqual([401, 'refresh-reused'])
    expect(api.lines.some((line) => line.includes('"event":"refresh-reused"'))).toBe(true)
    const dead = await refreshWith(rotated.refreshToken)
    expect([dead.status, await problemCode(dead)]).toEqual([401, 'refresh-invalid'])
    const me = await api.call('GET', 'auth/me', { bearer: rotated.accessToken })
    expect(me.status).toBe(401)
  } finally {
    api.setNow(null)
  }
})

test('a refresh token that is two exchanges old ends the whole family, however young', async () => {
  const first = await register()
  const second = await (await refreshWith(first.refreshToken)).json<AuthTokens>()
  const third = await (await refreshWith(second.refreshToken)).json<AuthTokens>()
  const reused = await refreshWith(first.refreshToken)
  expect([reused.status, await problemCode(reused)]).toEqual([401, 'refresh-reused'])
  expect((await refreshWith(third.refreshToken)).status).toBe(401)
})

test('the answer and the cookies say in seconds, too, how long the tokens last', async () => {
  const response = await api.call('POST', 'auth/register', { body: someone() })
  const [access, refresh] = response.headers.getSetCookie()
  const issued = await response.json<AuthTokens>()
  expect(issued.accessExpiresInS).toBeGreaterThan(890)
  expect(issued.accessExpiresInS).toBeLessThanOrEqual(900)
  expect(access).toContain(`Max-Age=${issued.accessExpiresInS};`)
  expect(refresh).toContain(`Max-Age=${issued.refreshExpiresInS};`)
  // A computer whose clock is fast would take an instant for past, and drop the cookie.
  expect(`${access}${refresh}`).not.toMatch(/expires/i)
})

test('a refresh token may come as a cookie, from a page of ours', async () => {
  const { refreshToken } = await register()
  const cookie = `__Host-mist_refresh=${refreshToken}`
  const foreign = await api.call('POST', 'auth/refresh', {
    headers: { cookie, origin: 'https://evil.example' },
  })
  expect([foreign.status, await problemCode(foreign)]).toEqual([403, 'origin-refused'])
  const ours = await api.call('POST', 'auth/refresh', { headers: { cookie, origin: ORIGIN } })
  expect(ours.status).toBe(200)
  expect(ours.headers.getSetCookie()).toHaveLength(2)
})

test('no refresh token, and a made-up one, are refused', async () => {
  const none = await api.call('POST', 'auth/refresh')
  expect([none.status, await problemCode(none)]).toEqual([401, 'refresh-invalid'])
  expect((await refreshWith('A'.repeat(43))).status).toBe(401)
})

test('logging out ends the auth session and its listening', async () => {
  const issued = await register()
  const { trackId } = await makeTrack(api.db)
  const bearer = issued.accessToken
  const started = await api.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  const session = await started.json<{ token: string; firstKey: { url: string } }>()
  expect((await api.call('POST', 'auth/logout', { bearer })).status).toBe(204)
  const key = await api.call('GET', session.firstKey.url, { bearer: session.token })
  expect([key.status, await problemCode(key)]).toEqual([401, 'signed-out'])
  expect((await refreshWith(issued.refreshToken)).status).toBe(401)
  expect((await api.call('POST', 'auth/logout', { bearer })).status).toBe(204)
})

const garbage = ['nonsense', 'a.b.c', '']

test.each<[string, (issued: AuthTokens) => { body?: unknown; headers?: Record<string, string> }]>([
  ['in the body', ({ refreshToken }) => ({ body: { refreshToken } })],
  [
    'in a cookie',
    ({ refreshToken }) => ({
      headers: { cookie: `__Host-mist_refresh=${refreshToken}`, origin: ORIGIN },
    }),
  ],
  ...garbage.map(
    (access): [string, (issued: AuthTokens) => { headers: Record<string, string> }] => [
      `in a cookie beside the access token "${access}"`,
      ({ refreshToken }) => ({
        headers: {
          cookie: `__Host-mist_access=${access}; __Host-mist_refresh=${refreshToken}`,
          origin: ORIGIN,
        },
      }),
    ],
  ),
  [
    'in the body beside an unreadable bearer token',
    ({ refreshToken }) => ({ body: { refreshToken }, headers: { authorization: 'Bearer x.y.z' } }),
  ],
])(
  'logging out with only a refresh token %s ends the auth session, once and twice',
  async (_, ask) => {
    const issued = await register()
    const { trackId } = await makeTrack(api.db)
    const bearer = issued.accessToken
    const started = await api.call('POST', 'listening-sessions', { body: { trackId }, bearer })
    const session = await started.json<{ token: string; firstKey: { url: string } }>()
    expect((await api.call('POST', 'auth/logout', ask(issued))).status).toBe(204)
    expect((await api.call('POST', 'auth/logout', ask(issued))).status).toBe(204)
    expect((await api.call('GET', 'auth/me', { bearer })).status).toBe(401)
    expect((await refreshWith(issued.refreshToken)).status).toBe(401)
    const key = await api.call('GET', session.firstKey.url, { bearer: session.token })
    expect([key.status, await problemCode(key)]).toEqual([401, 'signed-out'])
  },
)

test('logging out with an expired access token and the refresh token ends the auth session', async () => {
  const { accessToken, refreshToken } = await register()
  api.setNow(new Date(Date.now() + 16 * 60_000))
  try {
    const cookie = `__Host-mist_access=${accessToken}; __Host-mist_refresh=${refreshToken}`
    const headers = { cookie, origin: ORIGIN }
    expect((await api.call('POST', 'auth/logout', { headers })).status).toBe(204)
    expect((await refreshWith(refreshToken)).status).toBe(401)
  } finally {
    api.setNow(null)
  }
})

test('logging out with the refresh token before the last ends the auth session', async () => {
  const { refreshToken } = await register()
  const next = await (await refreshWith(refreshToken)).json<AuthTokens>()
  expect((await api.call('POST', 'auth/logout', { body: { refreshToken } })).status).toBe(204)
  expect((await refreshWith(next.refreshToken)).status).toBe(401)
})

test('logging out without anything, or with a made-up token, is fine', async () => {
  expect((await api.call('POST', 'auth/logout')).status).toBe(204)
  const body = { refreshToken: 'A'.repeat(43) }
  expect((await api.call('POST', 'auth/logout', { body })).status).toBe(204)
})

test('a cookie makes a write only from a page of ours; a bearer token from anywhere', async () => {
  const { accessToken } = await register()
  const cookie = `__Host-mist_access=${accessToken}`
  const remove = (headers: Record<string, string>) =>
    api.call('DELETE', 'auth/sessions', { headers })
  for (const headers of [
    { cookie },
    { cookie, origin: 'null' },
    { cookie, origin: 'https://evil.example' },
  ]) {
    const refused = await remove(headers)
    expect([refused.status, await problemCode(refused)]).toEqual([403, 'origin-refused'])
  }
  expect((await remove({ cookie, origin: ORIGIN })).status).toBe(204)
  expect((await remove({ cookie, origin: 'https://music.example' })).status).toBe(204)
  expect((await remove({ authorization: `Bearer ${accessToken}` })).status).toBe(204)
  expect((await api.call('GET', 'auth/me', { headers: { cookie } })).status).toBe(200)
})

test('an origin that is refused is named, with what its operator has to do', async () => {
  const login = (origin: string) =>
    api.call('POST', 'auth/login', {
      body: { email: 'a@b.example', password },
      headers: { origin },
    })
  const refused = await login('https://new-web.example')
  expect(refused.status).toBe(403)
  const { type, detail } = await refused.json<{ type: string; detail: string }>()
  expect(type).toMatch(/\/origin-refused$/)
  expect(detail).toContain('https://new-web.example')
  expect(detail).toContain('WEB_ORIGINS')
  expect(api.lines.some((line) => line.includes('"origin":"https://new-web.example"'))).toBe(true)
  for (const odd of ['null', 'https://x.example/<script>', 'javascript:alert(1)']) {
    const answer = await login(odd)
    expect(answer.status).toBe(403)
    expect(await answer.text()).not.toContain(odd)
  }
})

test('auth sessions are listed, and each can be ended', async () => {
  const person = someone()
  const here = await register(person)
  const login = { body: { email: person.email, password }, headers: { 'user-agent': 'A phone' } }
  const there = await (await api.call('POST', 'auth/login', login)).json<AuthTokens>()
  const bearer = here.accessToken
  type Devices = { items: { id: string; userAgent: string | null; current: boolean }[] }
  const { items } = await (await api.call('GET', 'auth/sessions', { bearer })).json<Devices>()
  expect(items.map(({ userAgent, current }) => [userAgent, current])).toEqual([
    ['A phone', false],
    [null, true],
  ])
  const phone = items[0]?.id ?? ''
  expect((await api.call('DELETE', `auth/sessions/${phone}`, { bearer })).status).toBe(204)
  expect((await api.call('DELETE', `auth/sessions/${phone}`, { bearer })).status).toBe(404)
  expect((await api.call('GET', 'auth/me', { bearer: there.accessToken })).status).toBe(401)
  expect((await refreshWith(there.refreshToken)).status).toBe(401)
  const stranger = await register()
  const mine = items[1]?.id ?? ''
  const theft = await api.call('DELETE', `auth/sessions/${mine}`, { bearer: stranger.accessToken })
  expect(theft.status).toBe(404)
  expect((await api.call('GET', 'auth/me', { bearer })).status).toBe(200)
})

test('changing the password ends all other auth sessions, and the old password', async () => {
  const person = someone()
  const here = await register(person)
  const { email } = person
  const there = await (
    await api.call('POST', 'auth/login', { body: { email, password } })
  ).json<AuthTokens>()
  const change = (currentPassword: string) =>
    api.call('POST', 'auth/password', {
      body: { currentPassword, newPassword: 'another good one' },
      bearer: here.accessToken,
    })
  expect((await change('not the password')).status).toBe(401)
  expect((await change(password)).status).toBe(204)
  expect((await api.call('GET', 'auth/me', { bearer: there.accessToken })).status).toBe(401)
  expect((await api.call('GET', 'auth/me', { bearer: here.accessToken })).status).toBe(200)
  const old = await api.call('POST', 'auth/login', { body: { email, password } })
  expect(old.status).toBe(401)
})

test('a new password is as long as it looks, and works at once', async () => {
  const person = { ...someone(), password: '🎵 sing 🎵 low 🌙' }
  await register(person)
  // 200 characters of two units each.
  const longest = { ...someone(), password: '🎵🎶🎷🎸🎹🎺🎻🥁🪕🪗'.repeat(20).slice(0, 396) + 'é!' }
  await register(longest)
  for (const { username: _, ...body } of [person, longest])
    expect((await api.call('POST', 'auth/login', { body })).status).toBe(200)
})

test('a changed password is held to the same rules, a known one to none', async () => {
  const { userId, token } = await api.signIn({
    email: `short${Date.now()}@example.org`,
    username: `short${Date.now()}`,
    // Python: hashlib.scrypt(b'password', salt=b'old salt', n=1024, r=8, p=1, dklen=32)
    passwordHash: '$scrypt$ln=10,r=8,p=1$b2xkIHNhbHQ$dHWe5VbH7y3TAlgMClxGOIx3ZWBg+cyWcdh3+p+hI6w',
  })
  const [row] = await api.db.$client`select email from users where id = ${userId}`
  const known = { email: row?.['email'], password: 'password' }
  expect((await api.call('POST', 'auth/login', { body: known })).status).toBe(200)
  const change = (newPassword: string) =>
    api.call('POST', 'auth/password', {
      body: { currentPassword: 'password', newPassword },
      bearer: token,
    })
  for (const easy of ['password2', 'password2026', 'qwertyuiop', `${known.email}`]) {
    const refused = await change(easy)
    expect(refused.status).toBe(422)
    const { errors } = await refused.json<{ errors: { path: string }[] }>()
    expect(errors.map(({ path }) => path)).toEqual(['newPassword'])
  }
  expect((await change('a password with words')).status).toBe(204)
})

test('a blocked account can neither log in, nor refresh, nor go on', async () => {
  const person = someone()
  const issued = await register(person)
  await api.db.$client`update users set blocked_at = now() where id = ${issued.user.id}`
  const login = { body: { email: person.email, password } }
  for (const answer of [
    await api.call('POST', 'auth/login', login),
    await refreshWith(issued.refreshToken),
    await api.call('GET', 'auth/me', { bearer: issued.accessToken }),
  ])
    expect([answer.status, await problemCode(answer)]).toEqual([403, 'account-blocked'])
})
