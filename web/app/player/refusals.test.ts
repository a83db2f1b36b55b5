import { expect, test } from 'vitest'
import { problemOf } from '../lib/problem.ts'
import { refusalOf, messageOf } from './refusals.ts'

const NOW = new Date('2026-03-01T20:00:00Z')

function problem(status: number, code: string) {
  return problemOf(status, { type: `/problems/${code}`, title: 't', detail: 'd.' }, null, 0)
}

test.each([
  [402, 'quota-exhausted', 'exhausted'],
  [409, 'superseded', 'superseded'],
  [401, 'signed-out', 'signed-out'],
  [401, 'refresh-reused', 'signed-out'],
  [404, 'not-found', 'failed'],
  [409, 'track-not-ready', 'failed'],
  [500, 'internal', 'failed'],
])('a %i %s becomes %s', (status, code, kind) => {
  expect(refusalOf(problem(status, code)).kind).toBe(kind)
})

test('a spent budget says when it resets, even if the service does not', () => {
  const { body } = messageOf(refusalOf(problem(402, 'quota-exhausted')), NOW)
  expect(body).toMatch(/^It returns (today|tomorrow|on .*) at /)
  expect(body).toContain('premium')
})

test('any other problem is shown in the service’s own words', () => {
  expect(messageOf(refusalOf(problem(500, 'internal')), NOW).body).toBe('d.')
})
