import { expect, test } from 'vitest'
import { makeGatedStatistics } from './statistics.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import { makeRandom } from './testing/random.ts'

test('means, deviations and changes agree with their definitions', () => {
  const statistics = makeGatedStatistics({ dimensions: 1, gateDb: 60 })
  for (const x of [1e6 + 2, 1e6 + 4, 1e6 + 4, 1e6 + 6]) statistics.push(Float64Array.of(x), -10)
  const { mean, deviation, change, frames } = statistics.finish()
  expect(frames).toBe(4)
  expect(mean[0]).toBeCloseTo(1e6 + 4, 9)
  expect(deviation[0]).toBeCloseTo(Math.sqrt(2), 9)
  expect(change[0]).toBeCloseTo(1, 9)
})

test('frames far below the loudest are left out, wherever the loudest comes', () => {
  const statistics = makeGatedStatistics({ dimensions: 1, gateDb: 60 })
  statistics.push(Float64Array.of(100), -100)
  statistics.push(Float64Array.of(1), -50)
  statistics.push(Float64Array.of(3), -5)
  const { mean, activeShare } = statistics.finish()
  expect(mean[0]).toBeCloseTo(2, 9)
  expect(activeShare).toBeCloseTo(2 / 3, 9)
})

test('eigenvectors of a symmetric matrix rebuild it, largest first', () => {
  const size = 12
  const random = makeRandom(5)
  const matrix = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = random() - 0.5
  }
  const { values, vectors } = symmetricEigen(matrix, size)
  expect(Array.from(values)).toEqual(Array.from(values).toSorted((a, b) => b - a))
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const rebuilt = values.reduce((sum, value, k) => {
        return sum + value * vectors[k * size + i]! * vectors[k * size + j]!
      }, 0)
      expect(rebuilt).toBeCloseTo(matrix[i * size + j]!, 9)
    }
  }
})
