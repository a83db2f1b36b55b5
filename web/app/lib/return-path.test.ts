import fc from 'fast-check'
import { expect, test } from 'vitest'
import { returnPath, returnQuery, signInPath } from './return-path.ts'

const ORIGIN = 'https://music.example'

test.each([
  ['/account', '/account'],
  ['/tracks/1?a=b', '/tracks/1?a=b'],
  ['/tracks/1?a=b#c', '/tracks/1?a=b'],
  ['/?cursor=a%2Fb%3D', '/?cursor=a%2Fb%3D'],
  ['/search?q=Mø', '/search?q=M%C3%B8'],
  ['account', '/account'],
  ['?cursor=1', '/?cursor=1'],
  ['/a/../b', '/b'],
  ['https://music.example/account', '/account'],
  ['https://user:secret@music.example/account', '/account'],
  ['/%00', '/%00'],
  ['/a\0b', '/a%00b'],
  ['/a\r\nset-cookie: b=c', '/aset-cookie:%20b=c'],
])('after signing in, %j leads to %s', (to, path) => {
  expect(returnPath(to, ORIGIN)).toBe(path)
})

test.each([
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '\0//evil.example',
  '/./\\evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  '/%2e/\\evil.example',
  '/%2e%2e//evil.example',
  'https://music.example//evil.example',
  'https://evil.example',
  'https:evil.example',
  'https:/evil.example',
  'http:evil.example',
  'http://music.example/',
  'https://music.example:8443/',
  'https://music.example@evil.example/',
  'https://music.example.evil.example/',
  '//music.example@evil.example/',
  '//evil。example',
  '//evil.example/account',
  '／／evil.example',
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,hi',
  'blob:https://music.example/1',
  'mailto:a@b.c',
  'https://',
  'http://[',
  '/login',
  '/login?to=/account',
  '/LOGIN/',
  '/%6cogin',
  '/a/../logout',
  '/logout.data',
  '/register',
  '/%ff',
  '/%',
  `/${'a'.repeat(2000)}`,
  '',
  null,
])('after signing in, %j leads home or to a path of ours', (to) => {
  const path = returnPath(to, ORIGIN)
  // Two of them are odd names of a page of ours; no page has them, and no other origin does.
  expect(['/', '/evil.example', '/%EF%BC%8F%EF%BC%8Fevil.example']).toContain(path)
  expect(new URL(path, ORIGIN).origin).toBe(ORIGIN)
})

/** Pieces from which open redirects are made. */
const PIECES = [
  ['/', '\\', '.', '..', '%2e', '%2f', '%5c', '%09', '%0a', '%00', '\t', '\n', '\r', '\0'],
  [' ', ':', '@', '?', '#', '&', '／', '＼', '。', '․', '\u200B', '\uD800', '%', '[', ']'],
  ['evil.example', 'music.example', 'http:', 'https:', 'javascript:', 'blob:', 'login', '//'],
].flat()

const hostile = fc
  .array(
    fc.oneof(
      fc.nat(PIECES.length - 1).map((index) => PIECES[index] ?? ''),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''))

test('no return path leads to another origin, or breaks the answer that carries it', () => {
  fc.assert(
    fc.property(
      fc.oneof(hostile, fc.webUrl(), fc.string({ unit: 'binary' })),
      fc.constantFrom(ORIGIN, 'http://127.0.0.1:8788'),
      (to, origin) => {
        const path = returnPath(to, origin)
        expect(path).toMatch(/^\/(?!\/)[!-~]*$/)
        expect(path.split('?')[0]).not.toContain('\\')
        expect(new URL(path, origin).origin).toBe(origin)
        expect(new Headers({ location: path }).get('location')).toBe(path)
        // As browsers read it, and after another round, it is still the same place.
        expect(returnPath(path, origin)).toBe(path)
      },
    ),
    { numRuns: 5000 },
  )
})

test('the way to the sign-in page and back keeps a path and its query', () => {
  const here = '/tracks/1?a=b&c=%2F'
  const to = new URL(signInPath(here), ORIGIN).searchParams.get('to')
  expect(returnPath(to, ORIGIN)).toBe(here)
})

test.each([
  ['/', '', ''],
  ['/', '?cursor=1', '?to=%2F%3Fcursor%3D1'],
  ['/tracks/1', '', '?to=%2Ftracks%2F1'],
  ['/login', '?to=%2Faccount', '?to=%2Faccount'],
  ['/register', '?to=%2Faccount', '?to=%2Faccount'],
  ['/login', '', ''],
])('from %s%s the links to the sign-in page carry "%s"', (pathname, search, query) => {
  expect(returnQuery({ pathname, search })).toBe(query)
})
