/** Width of one level class, and the range the classes cover, in dB. */
const CLASS_DB = 3
const LOWEST_DB = -120
const CLASSES = 42

/** Mean, standard deviation and mean absolute frame-to-frame change of each dimension. */
export type Statistics = {
  mean: Float64Array
  deviation: Float64Array
  change: Float64Array
  /** Number of frames within the gate, and the share of all frames that this is (0 … 1). */
  frames: number
  activeShare: number
}

/**
 * Makes running statistics of vectors which can leave out silent frames although "silent" depends
 * on the loudest frame, which is only known at the end: sums are kept per 3 dB class of frame level
 * and the classes above the gate are added up at the end (as EBU R128 meters gate with a
 * histogram). Memory does not depend on the number of frames.
 *
 * @param dimensions length of the vectors
 * @param gateDb frames more than this many dB under the loudest class are left out
 */
export function makeGatedStatistics({
  dimensions,
  gateDb,
}: {
  dimensions: number
  gateDb: number
}) {
  const counts = new Float64Array(CLASSES)
  const sums = new Float64Array(CLASSES * dimensions)
  const squares = new Float64Array(CLASSES * dimensions)
  const changes = new Float64Array(CLASSES * dimensions)
  const previous = new Float64Array(dimensions)
  // Sums of x - x₀ instead of x: a large mean would otherwise eat the variance's digits.
  const shift = new Float64Array(dimensions)
  let total = 0

  return {
    /** Adds one vector; `levelDb` is the level of its frame in dBFS. */
    push(vector: Float64Array, levelDb: number): void {
      if (total === 0) {
        shift.set(vector)
        previous.set(vector)
      }
      total++
      const level = classOf(levelDb)
      counts[level]!++
      const row = level * dimensions
      for (let d = 0; d < dimensions; d++) {
        const value = vector[d]!
        const x = value - shift[d]!
        sums[row + d]! += x
        squares[row + d]! += x * x
        changes[row + d]! += Math.abs(value - previous[d]!)
        previous[d] = value
      }
    },

    finish(): Statistics {
      const mean = new Float64Array(dimensions)
      const deviation = new Float64Array(dimensions)
      const change = new Float64Array(dimensions)
      const loudest = counts.findLastIndex((count) => count > 0)
      const from = Math.max(0, loudest - Math.round(gateDb / CLASS_DB))
      let frames = 0
      for (let level = from; level < CLASSES; level++) frames += counts[level]!
      if (frames === 0) return { mean, deviation, change, frames, activeShare: 0 }
      for (let d = 0; d < dimensions; d++) {
        let sum = 0
        let square = 0
        let moved = 0
        for (let at = from * dimensions + d; at < sums.length; at += dimensions) {
          sum += sums[at]!
          square += squares[at]!
          moved += changes[at]!
        }
        const centre = sum / frames
        mean[d] = shift[d]! + centre
        deviation[d] = Math.sqrt(Math.max(0, square / frames - centre * centre))
        change[d] = moved / frames
      }
      return { mean, deviation, change, frames, activeShare: frames / total }
    },
  }
}

function classOf(levelDb: number): number {
  const level = Math.floor((levelDb - LOWEST_DB) / CLASS_DB)
  return Math.max(0, Math.min(CLASSES - 1, level))
}
