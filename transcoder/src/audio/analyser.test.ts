import { expect, test } from 'vitest'
import { type Analysis, ANALYSIS_RATE_HZ, makeAnalyser } from './analyser.ts'
import { makeGroove } from './testing/grooves.ts'
import { makeRandom } from './testing/random.ts'

function analyse(samples: Float32Array, chunk = samples.length): Analysis {
  const analyser = makeAnalyser()
  for (let at = 0; at < samples.length; at += chunk) analyser.push(samples.subarray(at, at + chunk))
  return analyser.finish()
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : []
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0)
}

function noise(lengthS: number): Float32Array {
  const random = makeRandom(3)
  return Float32Array.from({ length: lengthS * ANALYSIS_RATE_HZ }, () => random() - 0.5)
}

function sine(hz: number, lengthS: number): Float32Array {
  return Float32Array.from({ length: lengthS * ANALYSIS_RATE_HZ }, (_, n) =>
    Math.sin((2 * Math.PI * hz * n) / ANALYSIS_RATE_HZ),
  )
}

test('a full-scale sine has its closed-form features', () => {
  const { features } = analyse(sine(1000, 4))
  expect(features.durationS).toBe(4)
  expect(features.rms).toBeCloseTo(Math.SQRT1_2, 3)
  expect(features.zeroCrossingRate).toBeCloseTo(2000 / ANALYSIS_RATE_HZ, 3)
  expect(Math.abs(features.centroidHz - 1000)).toBeLessThan(10)
  expect(Math.abs(features.rolloffHz - 1000)).toBeLessThan(15)
  expect(features.flatness).toBeLessThan(1e-6)
  expect(features.dynamicRangeDb).toBeLessThan(0.5)
})

test('white noise has its closed-form features', () => {
  const { features } = analyse(noise(10))
  // Uniform noise of ±1/2 has a variance of 1/12; its sign is a coin.
  expect(features.rms).toBeCloseTo(Math.sqrt(1 / 12), 2)
  expect(features.zeroCrossingRate).toBeCloseTo(0.5, 2)
  expect(features.centroidHz / 5512.5).toBeCloseTo(1, 1)
  expect(features.rolloffHz / (0.85 * 11_025)).toBeCloseTo(1, 1)
  // |X|² of noise is exponential: its geometric mean is e^-γ times its mean (γ = 0.5772…).
  expect(Math.abs(features.flatness - Math.exp(-0.57722))).toBeLessThan(0.02)
})

test('the cut into chunks changes nothing', () => {
  const { samples } = makeGroove(4, 12)
  const whole = analyse(samples)
  for (const chunk of [1777, 16_384]) expect(analyse(samples, chunk)).toEqual(whole)
})

test('a change of gain leaves the embedding where it is', () => {
  const { samples } = makeGroove(7, 12)
  const { embedding } = analyse(samples)
  const quiet = analyse(samples.map((x) => x * 0.1)).embedding
  expect(cosine(embedding, embedding)).toBeCloseTo(1, 5)
  expect(cosine(embedding, quiet)).toBeGreaterThan(0.99)
})

test('silence around a sound hardly moves its embedding, another sound does', () => {
  const { samples } = makeGroove(7, 12)
  const { embedding } = analyse(samples)
  const padded = new Float32Array(2 * samples.length)
  padded.set(samples, samples.length / 2)
  expect(cosine(embedding, analyse(padded).embedding)).toBeGreaterThan(0.85)
  expect(cosine(embedding, analyse(noise(12)).embedding)).toBeLessThan(0.5)
})

test.for([
  ['nothing', new Float32Array(0)],
  ['one sample', Float32Array.of(1)],
  ['silence', new Float32Array(44_100)],
  ['a direct current', new Float32Array(44_100).fill(0.5)],
  ['one click', new Float32Array(44_100).fill(1, 20_000, 20_001)],
  [
    'NaN and infinities',
    Float32Array.from({ length: 44_100 }, (_, n) => [NaN, Infinity, 0.1][n % 3]!),
  ],
  ['far beyond full scale', noise(2).map((x) => 1e6 * x)],
] as const)('%s gives finite numbers and a vector of length one', ([, samples]) => {
  const analysis = analyse(samples)
  for (const value of numbersIn(analysis)) expect(Number.isFinite(value)).toBe(true)
  expect(cosine(analysis.embedding, analysis.embedding)).toBeCloseTo(1, 5)
  expect(analysis.embedding.length).toBe(40)
})

test('ten more minutes of sound need no more memory than the first', () => {
  const minute = noise(60)
  const analyser = makeAnalyser()
  analyser.push(minute)
  const before = process.memoryUsage()
  for (let i = 0; i < 10; i++) analyser.push(minute)
  const after = process.memoryUsage()
  analyser.finish()
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1e6)
  expect(after.heapUsed - before.heapUsed).toBeLessThan(20e6)
}, 60_000)
