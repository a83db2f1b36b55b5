import { candidateTempi, type Rhythm, tempoTerms } from '../../transcoder/src/audio/tempo.ts'

/** A piece of known tempo. */
export type Piece = { name: string; bpm: number; rhythm: Rhythm }

/** Pull of the weights towards zero, so that no style is learned by heart. */
const DECAY = 0.01
/**
 * Belief that usual tempi are near 120 BPM, which grooves with tempi spread evenly can't teach: a
 * normal distribution over octaves with this variance.
 */
const PRIOR_VARIANCE = 0.5
const PRIOR_BPM = 120
const ITERATIONS = 1500

/**
 * Fits the weights of the tempo terms: a softmax over all candidate tempi in which those within
 * 2.5 % of the truth should win (multinomial logistic regression, gradient descent with momentum).
 */
export function fitWeights(pieces: readonly Piece[]): number[] {
  const tempi = candidateTempi()
  const data = pieces.map(({ bpm, rhythm }) => ({
    terms: tempi.map((tempo) => tempoTerms(rhythm, tempo)),
    right: tempi.map((tempo) => Math.abs(tempo / bpm - 1) < 0.025),
  }))
  const size = data[0]?.terms[0]?.length ?? 0
  const scale = Array.from({ length: size }, (_, d) => {
    const values = data.flatMap(({ terms }) => terms.map((term) => term[d]!))
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
  })
  const prior = tempi.map((tempo) => -(Math.log2(tempo / PRIOR_BPM) ** 2) / (2 * PRIOR_VARIANCE))
  // Weights of the scaled terms; the learned part stands beside the fixed prior.
  const weights = Array.from({ length: size }, () => 0)
  const speed = Array.from({ length: size }, () => 0)
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gradient = weights.map((weight) => 2 * DECAY * weight)
    for (const { terms, right } of data) {
      const odds = terms.map((term, i) => {
        return Math.exp(term.reduce((sum, x, d) => sum + (x / scale[d]!) * weights[d]!, prior[i]!))
      })
      const total = odds.reduce((sum, x) => sum + x, 0)
      const rightTotal = odds.reduce((sum, x, i) => sum + (right[i] ? x : 0), 1e-12)
      terms.forEach((term, i) => {
        const excess = odds[i]! / total - (right[i] ? odds[i]! / rightTotal : 0)
        for (let d = 0; d < size; d++) gradient[d]! += (excess * term[d]!) / scale[d]! / data.length
      })
    }
    for (let d = 0; d < size; d++) {
      speed[d] = 0.9 * speed[d]! - 0.05 * gradient[d]!
      weights[d]! += speed[d]!
    }
  }
  return withPrior(weights.map((weight, d) => weight / scale[d]!))
}

/** Adds the prior to the last two terms, octaves from the terms' centre and their square. */
function withPrior(weights: number[]): number[] {
  const offset = Math.log2(PRIOR_BPM / 112)
  weights[weights.length - 2]! += offset / PRIOR_VARIANCE
  weights[weights.length - 1]! -= 1 / (2 * PRIOR_VARIANCE)
  return weights
}
