import { expect, test } from 'vitest'
import { problemOf } from '../lib/problem.ts'
import { refusalOf, sentencesOf } from './refusals.ts'

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
])('a %i %s is told as %s', (status, code, kind) => {
  expect(refusalOf(problem(status, code)).kind).toBe(kind)
})

test('a spent budget says when it returns, even where the service does not', () => {
  const { body } = sentencesOf(refusalOf(problem(402, 'quota-exhausted')), NOW)
  expect(body).toMatch(/^It returns (today|tomorrow|on .*) at /)
  expect(body).toContain('premium')
})

test('what went wrong otherwise is told in the service’s own words', () => {
  expect(sentencesOf(refusalOf(problem(500, 'internal')), NOW).body).toBe('d.')
})
