import { expect, test, vi } from 'vitest'
import { makeTrack } from '@mist/db/testing/factories'
import { makeTestApi, problemCode } from '../testing/api.ts'

const api = makeTestApi()

/** Reads of one's own data. */
const OWN = ['auth/me', 'auth/sessions', 'me/history', 'me/totals', 'quota']

type Person = Awaited<ReturnType<typeof api.signIn>>

const answersOf = (token: string) =>
  Promise.all(
    OWN.map(async (path) => {
      const response = await api.call('GET', path, { bearer: token })
      return [path, response.status, response.ok ? null : await problemCode(response)]
    }),
  )

const all = (status: number, code: string | null) => OWN.map((path) => [path, status, code])

test.each<[string, 'user' | 'admin', (person: Person) => Promise<unknown>, [number, string]]>([
  [
    'a sign-out',
    'user',
    ({ token }) => api.call('POST', 'auth/logout', { bearer: token }),
    [401, 'signed-out'],
  ],
  [
    'a block',
    'user',
    ({ userId }) => api.db.$client`update users set blocked_at = now() where id = ${userId}`,
    [403, 'account-blocked'],
  ],
  [
    'the loss of the role that it names',
    'admin',
    ({ userId }) => api.db.$client`update users set role = 'user' where id = ${userId}`,
    [401, 'signed-out'],
  ],
  [
    'the end of the account',
    'user',
    ({ userId }) => api.db.$client`delete from users where id = ${userId}`,
    [401, 'signed-out'],
  ],
])(
  'after %s an access token reads nothing of its own',
  async (_, role, happens, [status, code]) => {
    const person = await api.signIn({ role })
    expect(await answersOf(person.token)).toEqual(all(200, null))
    await happens(person)
    expect(await answersOf(person.token)).toEqual(all(status, code))
  },
)

test('a device that is signed out does not speak for the session of another', async () => {
  const here = await api.signIn()
  const there = await api.signInAgain(here.userId)
  const { trackId } = await makeTrack(api.db)
  const started = await api.call('POST', 'listening-sessions', {
    body: { trackId },
    bearer: here.token,
  })
  const { id } = await started.json<{ id: string }>()
  await api.call('POST', 'auth/logout', { bearer: there.token })
  for (const what of ['heartbeat', 'complete']) {
    const answer = await api.call('POST', `listening-sessions/${id}/${what}`, {
      body: { positionS: 1 },
      bearer: there.token,
    })
    expect([answer.status, await problemCode(answer)]).toEqual([401, 'signed-out'])
  }
})

test('a read of one’s own data is one statement', async () => {
  const { token } = await api.signIn()
  const asked = vi.spyOn(globalThis, 'fetch')
  for (const path of OWN) {
    asked.mockClear()
    const response = await api.call('GET', path, { bearer: token })
    expect([path, response.status, asked.mock.calls.length]).toEqual([path, 200, 1])
  }
  asked.mockRestore()
})
