import { expect, test } from 'vitest'
import { type Labelled, pool, score } from './score.ts'

/** A point on the unit circle. */
function at(degrees: number, label: string, fold: string): Labelled {
  const radians = (degrees * Math.PI) / 180
  return { label, fold, embedding: Float32Array.of(Math.cos(radians), Math.sin(radians)) }
}

test('two tight clusters over two folds score full marks', () => {
  const items = ['1', '2'].flatMap((fold) =>
    [0, 1, 2, 3, 4, 5].flatMap((step) => [at(step, 'a', fold), at(90 + step, 'b', fold)]),
  )
  expect(score(items)).toEqual({
    knn1: 1,
    knn5: 1,
    precisionAt10: 1,
    meanAveragePrecision: 1,
    queries: 24,
  })
})

test('neighbours of the own fold do not vote', () => {
  const items = [at(0, 'a', '1'), at(1, 'a', '1'), at(10, 'b', '2'), at(60, 'a', '2')]
  expect(score(items, new Set(['1'])).knn1).toBe(0)
})

test('average precision is that of the textbook', () => {
  // Ranking of the query: hit, miss, hit: (1/1 + 2/3) / 2.
  const items = [at(0, 'a', '1'), at(1, 'a', '2'), at(2, 'b', '2'), at(3, 'a', '2')]
  expect(score(items, new Set(['1'])).meanAveragePrecision).toBeCloseTo(5 / 6, 9)
})

test('pooling weighs by the number of queries', () => {
  const part = { knn5: 0, precisionAt10: 0, meanAveragePrecision: 0 }
  const pooled = pool([
    { ...part, knn1: 1, queries: 1 },
    { ...part, knn1: 0, queries: 3 },
  ])
  expect(pooled.knn1).toBe(0.25)
})
