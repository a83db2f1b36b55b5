import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { makeTrack } from '@mist/db/testing/factories'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { makeApp } from './app.ts'
import { OPENAPI } from './routes/docs.ts'
import { makeTestApi, ORIGIN } from './testing/api.ts'
import { type Callers, makeCallers } from './testing/callers.ts'
import { type Operation, readOpenApi } from './testing/fuzz/openapi-document.ts'
import { complaintAbout, printed } from './testing/fuzz/answers.ts'
import { type FuzzRequest, requestsTo } from './testing/fuzz/requests.ts'

/** The same requests in every run; with another seed, others. */
const SEED = 11
const RUNS = 60

const api = makeTestApi()
const app = makeApp(api.deps)
const openApi = readOpenApi(app.getOpenAPI31Document(OPENAPI))

async function send({ method, url, headers, body }: FuzzRequest): Promise<Response> {
  const context = createExecutionContext()
  const request = new Request(url, { method, headers, body })
  const response = await app.fetch(request, {}, context)
  await waitOnExecutionContext(context)
  return response
}

/** Sends them, some at a time, and lists what is wrong with the answers, each kind once. */
async function complaintsAbout(
  requests: FuzzRequest[],
  operation: Operation | null,
): Promise<string[]> {
  const found = new Map<string, string>()
  const rest = [...requests]
  async function work() {
    for (let request = rest.shift(); request; request = rest.shift()) {
      const wrong = await complaintAbout(request, await send(request), operation, openApi)
      if (wrong !== null)
        found.set(
          wrong.replaceAll(/[0-9a-f-]{36}|"instance":"[^"]*"/g, ''),
          `${wrong}\n${printed(request)}`,
        )
    }
  }
  await Promise.all(Array.from({ length: 6 }, work))
  const reached = api.lines.filter((line) => line.includes('"event":"validation-failed"'))
  api.lines.length = 0
  return [
    ...found.values(),
    ...reached.map((line) => `a value came as far as the database: ${line}`),
  ]
}

let callers: Callers

beforeAll(async () => {
  callers = await makeCallers(api)
  await makeTrack(api.db)
})

test.each(
  openApi.operations.map((operation) => [operation.method, operation.path, operation] as const),
)(
  '%s %s has an answer to whatever comes, and one that is documented',
  async (_method, _path, operation) => {
    // Some of them sign the callers out, or delete their things.
    if (operation.method === 'DELETE' || operation.path.endsWith('/logout'))
      callers = await makeCallers(api)
    const requests = fc.sample(requestsTo(operation, openApi, callers), {
      seed: SEED,
      numRuns: RUNS,
    })
    expect(await complaintsAbout(requests, operation)).toEqual([])
    if (operation.method === 'DELETE' || operation.path.endsWith('/logout'))
      callers = await makeCallers(api)
  },
  60_000,
)

const BY_HAND = [
  [
    '',
    '/',
    '/api',
    '/api/v1',
    '/api/v1/',
    '//',
    '/api/v1/nowhere',
    '/%ZZ',
    '/%00',
    '/api/v1/%E0%A4%A',
  ],
  [
    '/api/v1/openapi.json',
    '/api/v1/docs',
    '/api/v1/problems/internal',
    '/api/v1/problems/__proto__',
  ],
  ['/api/v1/problems/%ZZ', '/api/v1/media/', '/api/v1/media/..%2f..%2fx', '/api/v1/media/%00'],
  ['/api/v1/media/tracks/00000000-0000-0000-0000-000000000000/1/64k/0.m4s'],
  ['/api/v1/media/tracks/00000000-0000-0000-0000-000000000000/9999999999/cover-320.webp'],
  [`/api/v1/media/${'x'.repeat(9000)}`, '/api/v1/tracks//', '/api/v1/tracks/x/y/z/u/v'],
].flat()
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']

test('what is not in the document has an answer, too: other paths, and other methods on its paths', async () => {
  const ids = Object.values(callers.things)
  const paths = [
    ...BY_HAND,
    ...openApi.operations.map(({ path }) => path.replaceAll(/\{[^}]*\}/g, ids[0] ?? '')),
  ]
  const documented = new Set(
    openApi.operations.map(
      ({ method, path }) => `${method} ${path.replaceAll(/\{[^}]*\}/g, ids[0] ?? '')}`,
    ),
  )
  const requests = paths.flatMap((path) =>
    METHODS.filter((method) => !documented.has(`${method} ${path}`)).map((method) => ({
      method,
      url: `${ORIGIN}${path}`,
      headers: [['authorization', `Bearer ${callers.tokens.listener}`]] satisfies [
        string,
        string,
      ][],
      body: null,
    })),
  )
  expect(await complaintsAbout(requests, null)).toEqual([])
}, 60_000)
