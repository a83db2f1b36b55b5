import { expect, test } from 'vitest'
import { makeSlotLoudness } from './k-weighting.ts'
import { choosePreviewStart } from './preview.ts'

const RATE = 22_050
const sine = (hz: number, seconds: number, amplitude = 1) =>
  Float32Array.from(
    { length: Math.round(seconds * RATE) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / RATE),
  )

/** EBU Tech 3341: a full-scale sine of 997 Hz in one channel reads −3.01 LUFS. */
test.each([
  [997, 1, -3.01],
  [997, 0.1, -23.01],
])('a sine of %i Hz at %f reads as BS.1770 says', (hz, amplitude, lufs) => {
  const meter = makeSlotLoudness({ sampleRate: RATE, slotS: 4 })
  const signal = sine(hz, 9, amplitude)
  for (let at = 0; at < signal.length; at += 1000) meter.push(signal.subarray(at, at + 1000))
  const slots = meter.finish()
  expect(slots).toHaveLength(3)
  for (const slot of slots.slice(1)) expect(Math.abs(slot - lufs)).toBeLessThan(0.05)
})

test('what is low sounds less loud, what is high louder', () => {
  const [low, middle, high] = [30, 997, 6000].map((hz) => {
    const meter = makeSlotLoudness({ sampleRate: RATE, slotS: 4 })
    meter.push(sine(hz, 8))
    return meter.finish()[1]!
  })
  expect(low! - middle!).toBeLessThan(-4)
  expect(high! - middle!).toBeGreaterThan(3)
})

test('silence is finite', () => {
  const meter = makeSlotLoudness({ sampleRate: RATE, slotS: 4 })
  meter.push(new Float32Array(5 * RATE))
  expect(meter.finish().every((slot) => slot < -100 && Number.isFinite(slot))).toBe(true)
  expect(makeSlotLoudness({ sampleRate: RATE, slotS: 4 }).finish()).toEqual([])
})

const slots = (...parts: [count: number, lufs: number][]) =>
  parts.flatMap(([count, lufs]) => Array<number>(count).fill(lufs))

test.each<[string, number[], number]>([
  ['a short track is heard from its start', slots([7, -14]), 0],
  ['an even track, too', slots([60, -14]), 0],
  ['the chorus after two verses', slots([15, -20], [10, -14], [15, -20], [8, -14]), 60],
  ['the first of two that differ by a hair', slots([10, -20], [8, -14.2], [10, -20], [8, -14]), 40],
  ['a single crash does not make a preview', slots([20, -20], [1, -3], [20, -20], [12, -15]), 164],
  ['a track that ends loud', slots([20, -30], [7, -10]), 80],
  ['silence', slots([40, -120]), 0],
])('%s', (_, levels, startS) => {
  expect(choosePreviewStart(levels)).toBe(startS)
})

test('a preview lies in the track, on the grid, wherever it is loud', () => {
  for (let count = 1; count < 60; count++) {
    for (let loud = 0; loud < count; loud += 3) {
      const startS = choosePreviewStart(slots([loud, -30], [count - loud, -10]))
      expect(startS % 4).toBe(0)
      expect(startS).toBeLessThanOrEqual(Math.max(0, (count - 7) * 4))
    }
  }
})
