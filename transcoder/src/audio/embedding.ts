/** Number of dimensions of an embedding. */
export const EMBEDDING_SIZE = 40

/** z-scores beyond this are outliers and would drown the rest. */
const CLIP = 4

/** What turns a summary into an embedding; fitted once, then fixed under a version number. */
export type EmbeddingConstants = {
  /** Mean and standard deviation of each summary dimension. */
  mean: readonly number[]
  deviation: readonly number[]
  /** EMBEDDING_SIZE rows, one after another, each as long as a summary. */
  projection: readonly number[]
}

/**
 * Projects a track's summary to its embedding: z-scored, clipped at ±4, projected to 40 dimensions,
 * scaled to length 1. Cosine similarity is its metric.
 *
 * @returns 40 numbers of Euclidean length 1
 */
export function embed(summary: Float64Array, constants: EmbeddingConstants): Float32Array {
  const { mean, deviation, projection } = constants
  if (summary.length !== mean.length) {
    throw new RangeError(`A summary of ${summary.length} does not fit ${mean.length} constants`)
  }
  const scores = summary.map((value, i) => zScore(value, mean[i]!, deviation[i]!))
  const projected = new Float64Array(EMBEDDING_SIZE)
  for (let row = 0; row < EMBEDDING_SIZE; row++) {
    for (let i = 0; i < scores.length; i++) {
      projected[row]! += projection[row * scores.length + i]! * scores[i]!
    }
  }
  const length = Math.hypot(...projected)
  if (length > 0) return Float32Array.from(projected, (value) => value / length)
  // A summary exactly at the mean has no direction; a unit vector keeps every row comparable.
  const fallback = new Float32Array(EMBEDDING_SIZE)
  fallback[0] = 1
  return fallback
}

/** Answers how many deviations a value lies from the mean, clipped at ±4. */
export function zScore(value: number, mean: number, deviation: number): number {
  return Math.max(-CLIP, Math.min(CLIP, (value - mean) / deviation))
}
