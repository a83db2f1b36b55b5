import { expect, test } from 'vitest'
import { problemOf, problemOfResponse, retryAfterSeconds } from './problem.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

test('the code is the last segment of the type', () => {
  const problem = problemOf(
    402,
    {
      type: 'https://mist.example/problems/quota-exhausted',
      title: "Today's listening time is used up",
      detail: 'It returns at midnight UTC.',
      resetsAt: '2026-01-03T00:00:00Z',
      requestId: 'r1',
    },
    null,
    NOW,
  )
  expect(problem).toMatchObject({
    code: 'quota-exhausted',
    status: 402,
    detail: 'It returns at midnight UTC.',
    resetsAt: '2026-01-03T00:00:00Z',
    requestId: 'r1',
  })
})

test.each([
  [401, 'signed-out'],
  [404, 'not-found'],
  [429, 'rate-limited'],
  [500, 'internal'],
  [503, 'unavailable'],
  [418, 'refused'],
])('a %i without a problem document still gets a code and a sentence', (status, code) => {
  const problem = problemOf(status, '<html>', null, NOW)
  expect(problem.code).toBe(code)
  expect(problem.detail).not.toBe('')
})

test('refused values are named by field, each with its first sentence', () => {
  const errors = [
    { path: 'email', message: 'Write a whole address.' },
    { path: 'password', message: 'one' },
    { path: 'password', message: 'two' },
    { path: 'odd' },
    'odd',
  ]
  expect(problemOf(422, { errors }, null, NOW).fields).toEqual({
    email: 'Write a whole address.',
    password: 'one',
  })
  expect(problemOf(422, { errors: 'odd' }, null, NOW).fields).toEqual({})
})

test('the wait in the body counts before that in the header', () => {
  expect(problemOf(429, { retryAfterS: 3 }, '7', NOW).retryAfterS).toBe(3)
  expect(problemOf(429, { retryAfterS: 'soon' }, '7', NOW).retryAfterS).toBe(7)
})

test.each([
  ['7', 7],
  ['0.5', 0.5],
  ['-3', 0],
  [new Date(NOW + 9000).toUTCString(), 9],
  ['soon', null],
  ['', null],
  [null, null],
])('Retry-After %s is %s seconds', (header, seconds) => {
  expect(retryAfterSeconds(header, NOW)).toBe(seconds)
})

test('an answer that is not JSON is a problem all the same', async () => {
  const problem = await problemOfResponse(
    new Response('Bad gateway', { status: 502, headers: { 'retry-after': '3' } }),
  )
  expect(problem).toMatchObject({ code: 'unavailable', status: 502, retryAfterS: 3 })
})
