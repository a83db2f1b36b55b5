import fc from 'fast-check'
import { type Caller, CALLERS, type Callers } from '../callers.ts'
import { ORIGIN } from '../origin.ts'
import { hostileCursor, hostileString, writeJson } from './hostile.ts'
import type { OpenApi, Operation } from './openapi-document.ts'
import { valuesOf } from './values.ts'

/** A request, as it can be printed and sent again. */
export type FuzzRequest = {
  method: string
  url: string
  headers: [string, string][]
  body: string | Uint8Array<ArrayBuffer> | null
}

const either = <T>(likely: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: rare })

const NO_JSON = ['', ' ', '{', '{"a":1,}', 'null', '[]', '"x"', '0', 'NaN', '\ufeff{}', '{}{}']

const DEEP = `${'['.repeat(200_000)}${']'.repeat(200_000)}`

/** Bodies that are no JSON, or JSON that few expect. */
const strangeBody: fc.Arbitrary<FuzzRequest['body']> = fc.oneof(
  fc.constantFrom(
    ...NO_JSON,
    DEEP,
    '{"__proto__":{"role":"admin"},"constructor":null}',
    '{"\\ud800":"\\ud800"}',
    `{"positionS":1,"positionS":-1,"trackId":null,"trackId":1}`,
    `{"parts":[${Array(20_000).fill('0').join()}]}`,
    `{"positionS":1${'0'.repeat(900_000)}}`,
    `{"refreshToken":"${'x'.repeat(990_000)}"}`,
    `"${'x'.repeat(1_000_001)}"`,
    'x'.repeat(10_000_000),
  ),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Uint8Array.from(bytes)),
  fc.constant(Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
  fc.constant(Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])),
)

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'application/problem+json',
  'application/json;;=',
  'text/plain',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  '/',
  '',
]

const garbageToken = fc.constantFrom(
  'x',
  '..',
  'a.b.c',
  'eyJhbGciOiJub25lIn0.e30.',
  'eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.e30.AAAA',
  'x'.repeat(20_000),
)

/** Who may call an operation, as far as its address tells. */
function rightCaller({ method, path }: Operation): Caller {
  const isAdmins = /^\/api\/v1\/(?:admin|jobs|uploads)\b/.test(path)
  return isAdmins || (path.includes('/tracks/') && method !== 'GET') ? 'admin' : 'listener'
}

/** The token that an operation asks for. */
const rightToken = (operation: Operation, { tokens, sessionTokens }: Callers): string | null =>
  operation.path.endsWith('/leases') ? sessionTokens.listener : tokens[rightCaller(operation)]

/** A caller's credentials, if any: half of the time those that the operation asks for. */
function credentialsFor(operation: Operation, callers: Callers): fc.Arbitrary<[string, string][]> {
  const right = `Bearer ${rightToken(operation, callers) ?? ''}`
  const token = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...CALLERS).map((caller) => callers.tokens[caller]) },
    { weight: 1, arbitrary: fc.constant(callers.sessionTokens.listener) },
    { weight: 1, arbitrary: garbageToken },
  )
  const origin = fc.constantFrom(null, ORIGIN, 'https://evil.example', 'null', '::', '')
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant<[string, string][]>([['authorization', right]]) },
    {
      weight: 5,
      arbitrary: token.map((text): [string, string][] =>
        text === null ? [] : [['authorization', `Bearer ${text}`]],
      ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(token, origin)
        .map(([text, page]): [string, string][] => [
          ['cookie', `__Host-mist_access=${text ?? ''}; __Host-mist_refresh=${text ?? '%ZZ'}`],
          ...(page === null ? [] : [['origin', page] satisfies [string, string]]),
        ]),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<[string, string][][]>(
        [['authorization', 'Bearer']],
        [['authorization', 'Bearer  a b']],
        [['authorization', 'Basic eDp5']],
        [['authorization', '"']],
        [['cookie', `${'a=b; '.repeat(5000)}__Host-mist_access`]],
        [['cookie', '=; ;;; __Host-mist_access="']],
      ),
    },
  )
}

const otherHeaders: fc.Arbitrary<[string, string][]> = fc
  .record(
    {
      'user-agent': fc.constantFrom('x'.repeat(5000), '', '() { :; }; echo'),
      'x-request-id': fc.constantFrom('a"b', 'good-id-12345', 'a b'.repeat(9), 'x'.repeat(500)),
      range: fc.constantFrom(
        'bytes=0-1',
        'bytes=-0',
        'bytes=9-1',
        'lines=1-2',
        'bytes=0-1,3-4',
        '=',
      ),
      'if-none-match': fc.constantFrom('*', '"x"', 'W/', '"'),
      'if-modified-since': fc.constantFrom('never', 'Thu, 01 Jan 1970 00:00:00 GMT'),
      accept: fc.constantFrom('text/html', '*/*', ';'),
      'content-encoding': fc.constantFrom('gzip', 'br', 'x'),
      'cf-connecting-ip': fc.constantFrom('192.0.2.1', '::', 'x', ''),
      'x-forwarded-host': fc.constant('evil.example'),
    },
    { requiredKeys: [] },
  )
  .map((headers) =>
    Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined),
  )

/** Some values say more in an address than their encoding would let them. */
const asPath = (value: unknown) =>
  fc.boolean().map((asIs) => {
    const text = String(value).toWellFormed().slice(0, 3000)
    const encoded = encodeURIComponent(text)
    return asIs ? text.replaceAll(/[?#\s\\]/g, '') || encoded : encoded
  })

/** The thing that a parameter names. */
function thingFor(name: string, path: string, { things }: Callers): string | undefined {
  if (name === 'trackId' || path.includes('/tracks/')) return things.trackId
  if (name === 'uploadId') return things.uploadId
  if (name === 'jobId') return things.jobId
  return path.includes('/auth/') ? things.authSessionId : things.sessionId
}

/** Requests to one operation: mostly what it asks for, and every way beside it, too. */
export function requestsTo(
  operation: Operation,
  openApi: OpenApi,
  callers: Callers,
): fc.Arbitrary<FuzzRequest> {
  const values = valuesOf(openApi, callers)
  const parameter = ({ name, schema }: Operation['parameters'][number]): fc.Arbitrary<unknown> => {
    if (name === 'cursor') return hostileCursor
    if (name === 'token')
      return either<unknown>(fc.constant(callers.sessionTokens.listener), garbageToken)
    if (name === 'playlist')
      return either<unknown>(fc.constantFrom('master.m3u8', '64k.m3u8', '128k.m3u8'), hostileString)
    if (name === 'version' || name === 'period')
      return either<unknown>(fc.constantFrom(0, 1, 2), values.any(schema))
    if (schema.format !== 'uuid') return either(values.valid(schema), values.any(schema))
    const thing = thingFor(name, operation.path, callers) ?? ''
    return either<unknown>(fc.constantFrom(thing, thing.toUpperCase()), values.any(schema))
  }
  const inPath = operation.parameters.filter((each) => each.in === 'path')
  const inQuery = operation.parameters.filter((each) => each.in === 'query')

  const path = fc
    .tuple(...inPath.map((each) => parameter(each).chain(asPath)))
    .map((texts) =>
      inPath.reduce(
        (text, { name }, index) => text.replace(`{${name}}`, () => texts[index] ?? ''),
        operation.path,
      ),
    )
  const query = fc
    .tuple(...inQuery.map((each) => fc.option(parameter(each).chain(asPath), { freq: 3 })))
    .chain((texts) => {
      const given = texts.flatMap((value, index) =>
        value === null ? [] : [`${inQuery[index]?.name ?? ''}=${value}`],
      )
      return fc.constantFrom(given, [...given, ...given], [...given, '%ZZ=%00&__proto__=1'])
    })
    .map((given) => (given.length === 0 ? '' : `?${given.join('&')}`))

  const schema = operation.requestBody?.content['application/json'].schema
  const takesBody = operation.method !== 'GET'
  const json = schema ? values.body(schema).map(writeJson) : fc.constant(null)
  const body = takesBody
    ? fc.oneof({ weight: 8, arbitrary: json }, { weight: 1, arbitrary: strangeBody })
    : fc.constant(null)
  const type = fc.oneof(
    { weight: 12, arbitrary: fc.constant('application/json') },
    { weight: 1, arbitrary: fc.constantFrom(null, ...CONTENT_TYPES) },
  )

  return fc
    .tuple(path, query, credentialsFor(operation, callers), otherHeaders, type, body)
    .map(([at, question, credentials, headers, contentType, content]) => ({
      method: operation.method,
      url: `${ORIGIN}${at}${question}`,
      headers: [
        ...credentials,
        ...headers,
        ...(content === null || contentType === null
          ? []
          : [['content-type', contentType] satisfies [string, string]]),
      ],
      body: content,
    }))
}
