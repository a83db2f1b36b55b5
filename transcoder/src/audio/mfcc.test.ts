import { expect, test } from 'vitest'
import { bandDecibels, makeDct } from './mfcc.ts'

test('an orthonormal DCT-II of a ramp has the values of scipy.fft.dct', () => {
  // python3: scipy.fft.dct([0, 1, 2, 3], norm='ortho')
  const coefficients = new Float64Array(4)
  makeDct(4, 4).apply(Float64Array.of(0, 1, 2, 3), coefficients)
  const expected = [3, -2.230442497387663, 0, -0.15851266778110726]
  expected.forEach((value, k) => expect(coefficients[k]).toBeCloseTo(value, 12))
})

test('an orthonormal DCT keeps the energy', () => {
  const values = Float64Array.from({ length: 64 }, (_, n) => Math.sin(n * n))
  const coefficients = new Float64Array(64)
  makeDct(64, 64).apply(values, coefficients)
  expect(energy(coefficients)).toBeCloseTo(energy(values), 9)
})

test('ten times the amplitude adds 20 dB to every band, faint ones included', () => {
  const quiet = Float64Array.from({ length: 64 }, (_, n) => 10 ** (-n / 5))
  const loud = quiet.map((level) => 100 * level)
  const [a, b] = [new Float64Array(64), new Float64Array(64)]
  bandDecibels(quiet, a)
  bandDecibels(loud, b)
  a.forEach((level, n) => expect(b[n]! - level).toBeCloseTo(20, 9))
  expect(a[0]! - Math.min(...a)).toBeCloseTo(80, 9)
})

function energy(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0)
}
