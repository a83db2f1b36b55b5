import { expect, test } from 'vitest'
import { isSameOrigin, refuseCrossOrigin } from './same-origin.server.ts'

const cookie = '__Host-mist_refresh=abc'
const post = (headers: Record<string, string>, method = 'POST') =>
  new Request('https://music.example/account?a=b', { method, headers })

test.each<[Record<string, string>, boolean]>([
  [{ origin: 'https://music.example', cookie }, true],
  [{ origin: 'https://evil.example', cookie }, false],
  [{ origin: 'https://evil.example' }, false],
  [{ origin: 'https://music.example.evil.example' }, false],
  [{ origin: 'http://music.example' }, false],
  [{ origin: 'https://music.example:8443' }, false],
  [{ origin: 'null', cookie }, false],
  [{ origin: '', cookie }, false],
  [{ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, false],
  [{ cookie }, false],
  [{ cookie: 'mist_access=a.b.c' }, false],
  [{ cookie, 'sec-fetch-site': 'cross-site' }, false],
  [{ cookie, 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ cookie, 'sec-fetch-site': 'same-origin' }, true],
  [{ cookie, 'sec-fetch-site': 'none' }, true],
  [{ cookie: 'theme=dark' }, true],
  [{}, true],
])('a form with %o is same-origin: %s', (headers, expected) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    expect(isSameOrigin(post(headers, method))).toBe(expected)
})

test('reading is allowed from everywhere', () => {
  const headers = { origin: 'https://evil.example', cookie }
  expect(isSameOrigin(post(headers, 'GET'))).toBe(true)
  expect(isSameOrigin(post(headers, 'HEAD'))).toBe(true)
})

test('a cross-origin request gets 403, as a page or as a problem', async () => {
  const page = refuseCrossOrigin(post({ accept: 'text/html,*/*;q=0.8' }))
  expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8'])
  expect(await page.text()).toContain('<h1>')
  const problem = refuseCrossOrigin(post({ accept: '*/*' }))
  expect([problem.status, problem.headers.get('content-type')]).toEqual([
    403,
    'application/problem+json',
  ])
  expect(await problem.json()).toMatchObject({
    type: 'https://music.example/api/v1/problems/origin-refused',
    status: 403,
    instance: '/account',
  })
})
