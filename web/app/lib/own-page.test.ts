import { expect, test } from 'vitest'
import { isFromOwnPage, refuseForeignPage } from './own-page.server.ts'

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
])('a form with %o is from a page of ours: %s', (headers, isOurs) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    expect(isFromOwnPage(post(headers, method))).toBe(isOurs)
})

test('reading is for everybody', () => {
  const headers = { origin: 'https://evil.example', cookie }
  expect(isFromOwnPage(post(headers, 'GET'))).toBe(true)
  expect(isFromOwnPage(post(headers, 'HEAD'))).toBe(true)
})

test('a foreign page is refused with 403, as a page or as a problem', async () => {
  const page = refuseForeignPage(post({ accept: 'text/html,*/*;q=0.8' }))
  expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8'])
  expect(await page.text()).toContain('<h1>')
  const problem = refuseForeignPage(post({ accept: '*/*' }))
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
