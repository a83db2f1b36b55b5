import { expect, test } from 'vitest'
import { hannWindow, makeRealFft } from './fft.ts'
import { makeRandom } from './testing/random.ts'

/** The definition of the transform, term by term. */
function slowPower(samples: Float32Array): number[] {
  return Array.from({ length: samples.length / 2 + 1 }, (_, k) => {
    let re = 0
    let im = 0
    samples.forEach((x, n) => {
      re += x * Math.cos((2 * Math.PI * k * n) / samples.length)
      im -= x * Math.sin((2 * Math.PI * k * n) / samples.length)
    })
    return re * re + im * im
  })
}

test.for([8, 16, 32, 64, 128, 512])(
  'a transform of %i samples agrees with the definition',
  (size) => {
    const random = makeRandom(size)
    const samples = Float32Array.from({ length: size + 3 }, () => random() - 0.5)
    const power = new Float64Array(size / 2 + 1)
    makeRealFft(size).powerSpectrum(samples, 3, new Float64Array(size).fill(1), power)
    slowPower(samples.subarray(3)).forEach((expected, k) =>
      expect(power[k]).toBeCloseTo(expected, 9),
    )
  },
)

test('a full-scale sine on a bin has the closed-form power of a Hann window', () => {
  const size = 2048
  const samples = Float32Array.from({ length: size }, (_, n) =>
    Math.cos((2 * Math.PI * 100 * n) / size),
  )
  const power = new Float64Array(size / 2 + 1)
  makeRealFft(size).powerSpectrum(samples, 0, hannWindow(size), power)
  // The window sums to N/2; a cosine has half its amplitude at +f: |X| = N/4, neighbours N/8.
  expect(power[100]! / (size / 4) ** 2).toBeCloseTo(1, 5)
  expect(power[99]! / (size / 8) ** 2).toBeCloseTo(1, 5)
  expect(power[103]!).toBeLessThan(1e-4)
})

test('the power of noise obeys Parseval', () => {
  const size = 8192
  const random = makeRandom(1)
  const samples = Float32Array.from({ length: size }, () => random() - 0.5)
  const power = new Float64Array(size / 2 + 1)
  makeRealFft(size).powerSpectrum(samples, 0, new Float64Array(size).fill(1), power)
  const both = 2 * power.reduce((sum, p) => sum + p, 0) - power[0]! - power.at(-1)!
  const energy = samples.reduce((sum, x) => sum + x * x, 0)
  expect(both / size / energy).toBeCloseTo(1, 9)
})

test('a length that is no power of two is refused', () => {
  expect(() => makeRealFft(1000)).toThrow(RangeError)
})
