const PITCH_CLASSES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const

/** A musical key as the profiles see it. */
export type Key = {
  tonic: (typeof PITCH_CLASSES)[number]
  mode: 'major' | 'minor'
  /** Lead of this key's correlation over the best other key's, 0 (a guess) … about 0.3 (clear). */
  confidence: number
}

/**
 * Weight of each scale degree in major and minor. D. Temperley, Music and Probability (MIT Press,
 * 2007), table 6.1: how often a bar of the Kostka–Payne corpus holds the degree.
 */
const MAJOR = [0.748, 0.06, 0.488, 0.082, 0.67, 0.46, 0.096, 0.715, 0.104, 0.366, 0.057, 0.4]
const MINOR = [0.712, 0.084, 0.474, 0.618, 0.049, 0.46, 0.105, 0.747, 0.404, 0.067, 0.133, 0.33]

/**
 * Finds the key whose profile correlates best with a chroma vector (Krumhansl and Schmuckler's
 * method).
 *
 * @param chroma twelve weights from C to B
 * @returns null where all weights are equal
 */
export function findKey(chroma: readonly number[]): Key | null {
  const scores: { tonic: number; mode: Key['mode']; r: number }[] = []
  for (let tonic = 0; tonic < 12; tonic++) {
    const degrees = Array.from({ length: 12 }, (_, i) => chroma[(tonic + i) % 12] ?? 0)
    scores.push({ tonic, mode: 'major', r: correlation(degrees, MAJOR) })
    scores.push({ tonic, mode: 'minor', r: correlation(degrees, MINOR) })
  }
  scores.sort((a, b) => b.r - a.r)
  const [best, second] = scores
  const tonic = best && PITCH_CLASSES[best.tonic]
  if (!best || !second || !tonic || !(best.r > 0)) return null
  return { tonic, mode: best.mode, confidence: best.r - second.r }
}

/** Answers Pearson's correlation, 0 where one side is constant. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const meanA = a.reduce((sum, x) => sum + x, 0) / a.length
  const meanB = b.reduce((sum, x) => sum + x, 0) / b.length
  let ab = 0
  let aa = 0
  let bb = 0
  for (let i = 0; i < a.length; i++) {
    const da = a[i]! - meanA
    const db = b[i]! - meanB
    ab += da * db
    aa += da * da
    bb += db * db
  }
  return aa < 1e-18 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}
