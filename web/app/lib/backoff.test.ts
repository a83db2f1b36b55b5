import { expect, test } from 'vitest'
import { waitAfter } from './backoff.ts'

const waits = (random: number) => [1, 2, 3, 4, 9, 1000].map((n) => waitAfter(n, null, random))

test('without a word from the service the wait doubles up to five minutes, spread by half', () => {
  expect(waits(0)).toEqual([1000, 2000, 4000, 8000, 150_000, 150_000])
  expect(waits(0.999).map((ms) => Math.round(ms / 1000))).toEqual([2, 4, 8, 16, 300, 300])
})

test('what the service asks for is waited at least, and never more than a day', () => {
  for (const random of [0, 0.5, 0.999]) {
    expect(waitAfter(1, 120, random)).toBeGreaterThanOrEqual(120_000)
    expect(waitAfter(1, 120, random)).toBeLessThan(133_000)
    expect(waitAfter(1, 0, random)).toBeGreaterThanOrEqual(1000)
    // A timer of more than 2³¹ − 1 ms would go off at once.
    expect(waitAfter(1, 1e12, random)).toBeLessThan(2 ** 31)
  }
})
