import { PROBLEMS } from '@mist/db/contract'
import { expect, test } from 'vitest'
import { makeApp } from './app.ts'
import { OPENAPI } from './routes/docs.ts'
import { makeTestApi, problemCode } from './testing/api.ts'
import { type Caller, CALLERS, type Callers, makeCallers } from './testing/callers.ts'
import { EXPECTATIONS, type Expectation } from './testing/expectations.ts'
import { readOpenApi } from './testing/fuzz/openapi-document.ts'

const api = makeTestApi()
const app = makeApp(api.deps)
const { operations } = readOpenApi(app.getOpenAPI31Document(OPENAPI))

/** Every route that the app has a handler for, as the document spells it. */
const routes = new Set(
  app.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/*')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
)

test('each route of the app and of the document has an expectation, and each expectation a route', () => {
  const documented = operations.map(({ method, path }) => `${method} ${path}`)
  expect([...routes].filter((route) => !(route in EXPECTATIONS))).toEqual([])
  expect(documented.filter((route) => !(route in EXPECTATIONS))).toEqual([])
  expect(Object.keys(EXPECTATIONS).filter((route) => !routes.has(route))).toEqual([])
})

const NEW_UPLOAD = { filename: 'one.flac', sizeBytes: 1000 }

/** What to send, where something must be sent. */
function bodyFor(route: string, { things }: Callers): unknown {
  const name = crypto.randomUUID().slice(0, 20)
  const password = 'a long and rare passphrase'
  const bodies: Record<string, unknown> = {
    'POST /api/v1/auth/register': { email: `${name}@example.test`, username: name, password },
    'POST /api/v1/auth/login': { email: `${name}@example.test`, password },
    'POST /api/v1/auth/password': { currentPassword: 'not this one', newPassword: password },
    'PATCH /api/v1/tracks/{id}': { title: 'Another title' },
    'PUT /api/v1/tracks/{id}/lyrics': { text: '[00:01.00]La' },
    'POST /api/v1/tracks/{id}/replace': NEW_UPLOAD,
    'POST /api/v1/listening-sessions': { trackId: things.trackId },
    'POST /api/v1/listening-sessions/{id}/leases': { from: 1, count: 3 },
    'POST /api/v1/listening-sessions/{id}/heartbeat': { positionS: 1 },
    'POST /api/v1/listening-sessions/{id}/complete': { positionS: 1 },
    'POST /api/v1/uploads': NEW_UPLOAD,
  }
  return bodies[route]
}

function pathFor(path: string, { things }: Callers): string {
  const id = path.includes('/tracks/')
    ? things.trackId
    : path.includes('/artists/')
      ? things.artistId
      : path.includes('/albums/')
        ? things.albumId
        : path.includes('/auth/')
          ? things.authSessionId
          : things.sessionId
  return path
    .replace('/api/v1/', '')
    .replace('{id}', id)
    .replace('{trackId}/{version}/{period}', `${things.trackId}/1/1`)
    .replace('{playlist}', 'master.m3u8')
    .replace('{uploadId}', things.uploadId)
    .replace('{jobId}', things.jobId)
    .replace('{code}', 'not-found')
    .replace('*', `tracks/${things.trackId}/1/64k/0.m4s`)
}

async function answerTo(route: string, caller: Caller, callers: Callers) {
  const [method = '', path = ''] = route.split(' ')
  const isOfSession = /\/keys\/|\/hls\/|\/leases$/.test(path)
  const bearer = (isOfSession ? callers.sessionTokens : callers.tokens)[caller]
  const response = await api.call(method, pathFor(path, callers), {
    body: bodyFor(route, callers),
    ...(bearer !== null && { bearer }),
  })
  return response.status < 400 ? response.status : problemCode(response)
}

test.each(Object.entries(EXPECTATIONS))(
  '%s answers each caller as expected',
  async (route, expectation) => {
    const callers = await makeCallers(api)
    const answers: Partial<Expectation> = {}
    for (const caller of CALLERS)
      answers[caller] = (await answerTo(route, caller, callers)) as Expectation[Caller]
    expect(answers).toEqual(expectation)
  },
)

test('each answer that is expected is documented', () => {
  for (const { method, path, responses } of operations) {
    const expected = Object.values(EXPECTATIONS[`${method} ${path}`] ?? {})
    const statuses = expected.map((answer) =>
      String(typeof answer === 'number' ? answer : PROBLEMS[answer].status),
    )
    expect([path, Object.keys(responses)]).toEqual([path, expect.arrayContaining(statuses)])
  }
})
