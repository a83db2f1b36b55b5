import { EMBEDDING_SIZE, zScore, type EmbeddingConstants } from './embedding.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** A dimension that hardly varies in the material is not to be blown up. */
const MIN_DEVIATION = 1e-3

/**
 * Fits the embedding's constants to summaries, without labels: mean and deviation of each
 * dimension, then principal components of the weighted z-scores, each divided by its deviation to
 * the power `whitening` (0: plain PCA, where a few loud components decide; 1: white, where noise
 * counts as much as signal; a half lies between).
 *
 * @param weights how much each dimension counts, as long as a summary
 * @throws RangeError where there are no more summaries than components to find
 */
export function fitEmbedding(
  summaries: readonly Float64Array[],
  { weights, whitening = 0.5 }: { weights: Float64Array; whitening?: number },
): EmbeddingConstants {
  const first = summaries[0]
  if (!first || summaries.length <= EMBEDDING_SIZE) {
    throw new RangeError(`Fitting needs more than ${EMBEDDING_SIZE} summaries`)
  }
  const size = first.length
  const count = summaries.length
  const mean = Array.from({ length: size }, (_, i) => {
    return summaries.reduce((sum, summary) => sum + summary[i]!, 0) / count
  })
  const deviation = mean.map((centre, i) => {
    const variance =
      summaries.reduce((sum, summary) => sum + (summary[i]! - centre) ** 2, 0) / count
    return Math.max(MIN_DEVIATION, Math.sqrt(variance))
  })
  const scores = summaries.map((summary) =>
    summary.map((value, i) => weights[i]! * zScore(value, mean[i]!, deviation[i]!)),
  )
  const covariance = new Float64Array(size * size)
  for (const row of scores) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) covariance[i * size + j]! += (row[i]! * row[j]!) / count
    }
  }
  const { values, vectors } = symmetricEigen(covariance, size)
  const projection: number[] = []
  for (let row = 0; row < EMBEDDING_SIZE; row++) {
    const scale = Math.max(values[row]!, 1e-6) ** (-whitening / 2)
    for (let i = 0; i < size; i++) projection.push(vectors[row * size + i]! * weights[i]! * scale)
  }
  return { mean, deviation, projection }
}
