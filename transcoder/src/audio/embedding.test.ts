import { expect, test } from 'vitest'
import { EMBEDDING_CONSTANTS } from './embedding-constants.generated.ts'
import { embed, EMBEDDING_SIZE } from './embedding.ts'
import { fitEmbedding } from './fit-embedding.ts'
import { SUMMARY_SIZE, summaryWeights } from './summary.ts'
import { makeRandom } from './testing/random.ts'

const random = makeRandom(11)
/** Independent dimensions in very different units. */
const summaries = Array.from({ length: 200 }, () =>
  Float64Array.from({ length: SUMMARY_SIZE }, (_, i) => 1000 ** (i % 3) * (random() - 0.5) + i),
)

test('the shipped constants have the shape of a summary and of an embedding', () => {
  expect(EMBEDDING_CONSTANTS.mean.length).toBe(SUMMARY_SIZE)
  expect(EMBEDDING_CONSTANTS.deviation.length).toBe(SUMMARY_SIZE)
  expect(EMBEDDING_CONSTANTS.projection.length).toBe(EMBEDDING_SIZE * SUMMARY_SIZE)
  expect(Math.min(...EMBEDDING_CONSTANTS.deviation)).toBeGreaterThan(0)
})

test('the unit of a dimension does not matter', () => {
  const weights = summaryWeights()
  const scaled = summaries.map((summary) => summary.map((x, i) => (i === 7 ? 1e5 * x : x)))
  const plain = embed(summaries[0]!, fitEmbedding(summaries, { weights }))
  const other = embed(scaled[0]!, fitEmbedding(scaled, { weights }))
  plain.forEach((x, i) => expect(other[i]).toBeCloseTo(x, 4))
})

test('a fully white fit gives uncorrelated components of equal spread', () => {
  const weights = new Float64Array(SUMMARY_SIZE).fill(1)
  const { mean, deviation, projection } = fitEmbedding(summaries, { weights, whitening: 1 })
  const component = (summary: Float64Array, row: number) =>
    summary.reduce((sum, x, i) => {
      return sum + (projection[row * SUMMARY_SIZE + i]! * (x - mean[i]!)) / deviation[i]!
    }, 0)
  const product = (a: number, b: number) =>
    summaries.reduce((sum, s) => sum + component(s, a) * component(s, b), 0) / summaries.length
  expect(product(0, 0)).toBeCloseTo(1, 6)
  expect(product(39, 39)).toBeCloseTo(1, 6)
  expect(product(0, 39)).toBeCloseTo(0, 6)
})

test('one absurd dimension does not take the vector over', () => {
  const constants = fitEmbedding(summaries, { weights: summaryWeights() })
  const absurd = summaries[0]!.map((x, i) => (i === 70 ? 1e30 : x))
  const more = absurd.map((x, i) => (i === 70 ? 1e33 : x))
  expect(embed(absurd, constants)).toEqual(embed(more, constants))
})

test('a summary of another length, and a fit on too few, are refused', () => {
  expect(() => embed(new Float64Array(3), EMBEDDING_CONSTANTS)).toThrow(RangeError)
  const weights = summaryWeights()
  expect(() => fitEmbedding(summaries.slice(0, 40), { weights })).toThrow(RangeError)
})
