import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  AAC_FRAME_SAMPLES,
  durationMs,
  frameCount,
  LEAST_LAST_SEGMENT_MS,
  type MediaTiming,
  periodChargeMs,
  periodCount,
  periodOfSegment,
  SEGMENT_S,
  segmentCount,
  segmentStartFrame,
} from './key-periods.ts'

const RATES = [22_050, 24_000, 32_000, 44_100, 48_000]

/** Lengths of half a second to some minutes, every other one near a point of the grid. */
const timings: fc.Arbitrary<MediaTiming> = fc
  .record({
    sampleRate: fc.constantFrom(...RATES),
    point: fc.integer({ min: 1, max: 75 }),
    isNear: fc.boolean(),
    near: fc.integer({ min: -5000, max: 5000 }),
    far: fc.double({ min: 0.5, max: 300, noNaN: true }),
  })
  .map(({ sampleRate, point, isNear, near, far }) => ({
    sampleRate,
    primingSamples: 1024,
    sampleCount: isNear ? point * SEGMENT_S * sampleRate + near : Math.round(far * sampleRate),
  }))

const everyLength = (check: (timing: MediaTiming) => void) =>
  fc.assert(fc.property(timings, check), { numRuns: 5000 })

/** Samples of sound in one segment, the encoder's delay left out. */
function ownSamples(timing: MediaTiming, segment: number): number {
  const from = segmentStartFrame(timing.sampleRate, segment) * AAC_FRAME_SAMPLES
  return timing.sampleCount + timing.primingSamples - from
}

test('the last segment has sound of its own, enough to stand alone', () => {
  everyLength((timing) => {
    const last = segmentCount(timing) - 1
    const least = (LEAST_LAST_SEGMENT_MS * timing.sampleRate) / 1000
    expect(last === 0 || ownSamples(timing, last) >= least).toBe(true)
    // What is left behind it, were it cut once more, would not.
    const restMs = durationMs(timing) - (last + 1) * SEGMENT_S * 1000
    expect(restMs).toBeLessThanOrEqual(LEAST_LAST_SEGMENT_MS)
  })
})

test('every segment ends where the next begins, and none is longer than the target says', () => {
  everyLength((timing) => {
    const count = segmentCount(timing)
    for (let segment = 0; segment < count; segment++) {
      const from = segmentStartFrame(timing.sampleRate, segment)
      const to =
        segment === count - 1
          ? frameCount(timing)
          : segmentStartFrame(timing.sampleRate, segment + 1)
      expect(to).toBeGreaterThan(from)
      const seconds = ((to - from) * AAC_FRAME_SAMPLES) / timing.sampleRate
      expect(Math.round(seconds)).toBeLessThanOrEqual(SEGMENT_S)
    }
  })
})

test('every period has sound and a price, and the prices add up to the length', () => {
  everyLength((timing) => {
    for (const per of [1, 3]) {
      const periods = periodCount(timing, per)
      expect(periods).toBe(periodOfSegment(segmentCount(timing) - 1, per) + 1)
      const charges = Array.from({ length: periods }, (_, p) => periodChargeMs(timing, p, per))
      for (const charge of charges) expect(charge).toBeGreaterThan(0)
      expect(charges.reduce((sum, charge) => sum + charge, 0)).toBe(durationMs(timing))
      expect(periodChargeMs(timing, periods, per)).toBe(0)
    }
  })
})

test.each([
  [3.99, 1, 1],
  [4, 1, 1],
  [4.03, 1, 1],
  [4.05, 1, 1],
  [4.06, 2, 1],
  [8, 2, 1],
  [12, 3, 1],
  [12.05, 3, 1],
  [12.06, 4, 2],
  [16, 4, 2],
])('%f s are %i segments and, of three each, %i periods', (seconds, segments, periods) => {
  for (const sampleRate of [44_100, 48_000]) {
    const timing = {
      sampleRate,
      sampleCount: Math.round(seconds * sampleRate),
      primingSamples: 1024,
    }
    expect(segmentCount(timing)).toBe(segments)
    expect(periodCount(timing, 1)).toBe(segments)
    expect(periodCount(timing, 3)).toBe(periods)
  }
})
