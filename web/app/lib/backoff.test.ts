import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const waits = (random: number) => [1, 2, 3, 4, 9, 1000].map((n) => backoffMs(n, null, random))

test('without Retry-After the wait doubles up to five minutes, with jitter of a half', () => {
  expect(waits(0)).toEqual([1000, 2000, 4000, 8000, 150_000, 150_000])
  expect(waits(0.999).map((ms) => Math.round(ms / 1000))).toEqual([2, 4, 8, 16, 300, 300])
})

test('Retry-After is the least wait, and is cut to a day', () => {
  for (const random of [0, 0.5, 0.999]) {
    expect(backoffMs(1, 120, random)).toBeGreaterThanOrEqual(120_000)
    expect(backoffMs(1, 120, random)).toBeLessThan(133_000)
    expect(backoffMs(1, 0, random)).toBeGreaterThanOrEqual(1000)
    // A timer of more than 2³¹ − 1 ms would go off at once.
    expect(backoffMs(1, 1e12, random)).toBeLessThan(2 ** 31)
  }
})
