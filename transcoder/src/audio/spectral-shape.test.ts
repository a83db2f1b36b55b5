import { expect, test } from 'vitest'
import { makeContrast } from './contrast.ts'
import { makeSpectralShape } from './spectral-shape.ts'

const RATE = { fftSize: 2048, sampleRate: 22_050 }
const HZ_PER_BIN = 22_050 / 2048

function shapeOf(power: Float64Array) {
  const shape = { centroidHz: 0, bandwidthHz: 0, rolloffHz: 0, flatness: 0 }
  makeSpectralShape(RATE).measure(power, shape)
  return shape
}

test('an even spectrum has the moments of a uniform distribution', () => {
  const { centroidHz, bandwidthHz, rolloffHz, flatness } = shapeOf(new Float64Array(1025).fill(3))
  expect(centroidHz).toBeCloseTo(5512.5, 6)
  // Deviation of the integers 0 … n - 1: √((n² - 1) / 12).
  expect(bandwidthHz).toBeCloseTo(Math.sqrt((1025 ** 2 - 1) / 12) * HZ_PER_BIN, 6)
  expect(Math.abs(rolloffHz - 0.85 * 11_025)).toBeLessThan(HZ_PER_BIN)
  expect(flatness).toBeCloseTo(1, 9)
})

test('two lines weigh by magnitude, not by power', () => {
  const power = new Float64Array(1025)
  power[100] = 9
  power[200] = 1
  const { centroidHz, bandwidthHz, rolloffHz, flatness } = shapeOf(power)
  expect(centroidHz).toBeCloseTo(125 * HZ_PER_BIN, 9)
  expect(bandwidthHz).toBeCloseTo(Math.sqrt(0.75 * 25 ** 2 + 0.25 * 75 ** 2) * HZ_PER_BIN, 9)
  expect(rolloffHz).toBeCloseTo(200 * HZ_PER_BIN, 9)
  expect(flatness).toBeLessThan(1e-6)
})

test('flatness is the geometric over the arithmetic mean', () => {
  const power = Float64Array.from({ length: 1025 }, (_, k) => 1 + (k % 7))
  const geometric = Math.exp(power.reduce((sum, p) => sum + Math.log(p), 0) / 1025)
  const arithmetic = power.reduce((sum, p) => sum + p, 0) / 1025
  expect(shapeOf(power).flatness).toBeCloseTo(geometric / arithmetic, 9)
})

test('silence has no shape and no contrast, and nothing that is not finite', () => {
  expect(Object.values(shapeOf(new Float64Array(1025)))).toEqual([0, 0, 0, 0])
  const contrast = new Float64Array(7)
  makeContrast(RATE).measure(new Float64Array(1025), contrast)
  expect(Array.from(contrast)).toEqual([0, 0, 0, 0, 0, 0, 0])
})

test('contrast is the decibels between the strongest and weakest fiftieth of an octave', () => {
  const power = new Float64Array(1025).fill(2)
  // 3200 … 6400 Hz is bins 298 … 594: 297 bins, whose fiftieth is 6 bins.
  for (let k = 300; k < 306; k++) power[k] = 2000
  for (let k = 400; k < 406; k++) power[k] = 0.2
  const contrast = new Float64Array(7)
  makeContrast(RATE).measure(power, contrast)
  expect(contrast[5]).toBeCloseTo(40, 9)
  expect(contrast[4]).toBeCloseTo(0, 9)
})
