import { expect, test } from 'vitest'
import type { KeyPeriod } from './key-periods.ts'
import { landingOf, nextLease } from './lease-plan.ts'
import type { LeaseState } from './lease-plan.ts'

/** A track of 60 seconds. */
function periodsOf(periodS: number): KeyPeriod[] {
  return Array.from({ length: 60 / periodS }, (_, number) => ({
    url: `${number}`,
    number,
    startS: number * periodS,
    endS: (number + 1) * periodS,
  }))
}

function state(positionS: number, keys: number[], more: Partial<LeaseState> = {}): LeaseState {
  return {
    periods: periodsOf(4),
    hasKey: ({ number }) => keys.includes(number),
    isWanted: () => false,
    positionS,
    landedS: 0,
    leadS: 1,
    stayingLeadS: 3,
    ...more,
  }
}

test('where the listener has landed, one period is due at once', () => {
  expect(nextLease(state(21, [0], { landedS: 21 }))).toEqual({ run: { from: 5, count: 1 }, inS: 0 })
})

test.each([
  [0, [0], { from: 1, count: 1 }, 3],
  [3.5, [0], { from: 1, count: 1 }, 0],
  [4, [0, 1], { from: 2, count: 1 }, 3],
  [8, [0, 1, 2], { from: 3, count: 3 }, 1],
  [20, [0, 1, 2, 3, 4, 5], { from: 6, count: 3 }, 1],
])('at %d s with the keys %j %j is due in %d s', (positionS, keys, run, inS) => {
  expect(nextLease(state(positionS, keys))).toEqual({ run, inS })
})

test('a run ends at what is paid for, and at the end of the track', () => {
  expect(nextLease(state(9, [0, 1, 2, 5]))?.run).toEqual({ from: 3, count: 2 })
  expect(nextLease(state(55, [...Array(14).keys()]))?.run).toEqual({ from: 14, count: 1 })
})

test('what is paid for ahead is skipped, and the rest is leased when its turn comes', () => {
  expect(nextLease(state(1, [0, 1, 2, 3]))).toEqual({ run: { from: 4, count: 3 }, inS: 12 })
})

test('who has gone to the end of what is paid for has not stayed yet', () => {
  const landed = state(11, [2, 3, 4], { landedS: 11 })
  expect(nextLease(landed)?.run).toEqual({ from: 5, count: 1 })
})

test('nothing is due where all is paid for, and before the playlist is known', () => {
  expect(nextLease(state(1, [...Array(15).keys()]))).toBe(null)
  expect(nextLease(state(1, [], { periods: [] }))).toBe(null)
})

test('a key that three segments share is leased alone', () => {
  const coarse = { periods: periodsOf(12) }
  expect(nextLease(state(5, [0], coarse))).toEqual({ run: { from: 1, count: 1 }, inS: 4 })
})

test('at the edge of a period the neighbour is due that the deck waits for', () => {
  const before = state(8.29, [2], { isWanted: ({ number }) => number === 1, landedS: 8.29 })
  expect(nextLease(before)).toEqual({ run: { from: 1, count: 1 }, inS: 0 })
  expect(nextLease({ ...before, positionS: 8.35 })?.inS).toBeGreaterThan(0)
  const behind = state(7.95, [1], { isWanted: ({ number }) => number === 2, leadS: 0 })
  expect(nextLease(behind)).toEqual({ run: { from: 2, count: 1 }, inS: 0 })
  expect(nextLease({ ...behind, positionS: 7 })?.inS).toBe(1)
})

const SCRAP: KeyPeriod = { url: '1', number: 1, startS: 4, endS: 4.3 }

test.each([
  ['not paid for', 10.5, [0], periodsOf(4), 8.35],
  ['not paid for, just behind its start', 8.01, [0], periodsOf(4), 8.35],
  ['paid for', 10.5, [2], periodsOf(4), 10.5],
  ['of the first period', 2, [], periodsOf(4), 0],
  ['of a longer period', 22, [0], periodsOf(12), 22],
  ['of a last scrap', 4.2, [0], [...periodsOf(4).slice(0, 1), SCRAP], 4.2],
  ['unknown', 22, [], [], 22],
])('a seek to what is %s lands well', (_name, positionS, keys, periods, landingS) => {
  expect(landingOf(state(0, keys, { periods }), positionS)).toBe(landingS)
})
