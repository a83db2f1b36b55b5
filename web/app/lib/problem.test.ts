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

test.each([
  [[{ pointer: '#/email', detail: 'Write a whole address.' }]],
  [[{ pointer: '/email', detail: 'Write a whole address.' }]],
  [[{ path: ['email'], message: 'Write a whole address.' }]],
  [[{ field: 'email', message: 'Write a whole address.' }]],
])('validation errors are read by field: %j', (errors) => {
  const { fields } = problemOf(
    422,
    { type: '/problems/validation-failed', title: 'x', errors },
    null,
    NOW,
  )
  expect(fields).toEqual({ email: 'Write a whole address.' })
})

test('the first sentence about a field is kept', () => {
  const errors = [
    { field: 'password', message: 'one' },
    { field: 'password', message: 'two' },
  ]
  expect(problemOf(422, { errors }, null, NOW).fields).toEqual({ password: 'one' })
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
