import { expect, test } from 'vitest'
import { formatDuration, formatBytes, formatClock, formatSpoken, formatWhen } from './format.ts'

test.each([
  [0, '0:00'],
  [7.9, '0:07'],
  [185, '3:05'],
  [3723, '1:02:03'],
  [-4, '0:00'],
  [Number.NaN, '0:00'],
  [Number.POSITIVE_INFINITY, '0:00'],
])('%d seconds on a clock are %s', (seconds, clock) => {
  expect(formatClock(seconds)).toBe(clock)
})

test.each([
  [0, '0 s'],
  [20, '20 s'],
  [200, '3 min 20 s'],
  [300, '5 min'],
  [7500, '2 h 5 min'],
  [3605, '1 h 5 s'],
])('%d seconds in few words are %s', (seconds, words) => {
  expect(formatDuration(seconds)).toBe(words)
})

test.each([
  [1, '1 second'],
  [61, '1 minute 1 second'],
  [185, '3 minutes 5 seconds'],
])('%d seconds are spoken as %s', (seconds, words) => {
  expect(formatSpoken(seconds)).toBe(words)
})

test('an instant is formatted in the time zone of the listener, not in UTC', () => {
  const midnight = '2026-03-02T00:00:00Z'
  const now = new Date('2026-03-01T20:00:00Z')
  expect(formatWhen(midnight, now, { locale: 'en-GB', timeZone: 'UTC' })).toBe('tomorrow at 00:00')
  expect(formatWhen(midnight, now, { locale: 'en-GB', timeZone: 'America/New_York' })).toBe(
    'today at 19:00',
  )
  expect(formatWhen('2026-03-05T10:00:00Z', now, { locale: 'en-GB', timeZone: 'UTC' })).toBe(
    'on 5 March at 10:00',
  )
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [640_000, '640 kB'],
  [12_300_000, '12.3 MB'],
  [2_147_483_648, '2.1 GB'],
])('%d bytes are formatted as %s', (bytes, words) => {
  expect(formatBytes(bytes)).toBe(words)
})
