import { candidateTempi, type Rhythm, tempoTerms } from '../../transcoder/src/audio/tempo.ts'

/** A piece of known tempo. */
export type Piece = { name: string; bpm: number; rhythm: Rhythm }

/** Pull of the weights towards zero, so that no style is learned by heart. */
const DECAY = 0.01
/**
 * Belief that usual tempi are near 120 BPM, which grooves with tempi spread evenly can't teach: a
 * normal distribution over octaves with this variance.
 */
const PRIOR_VARIANCE = 0.3
const PRIOR_BPM = 120
const ITERATIONS = 1500

/**
 * Fits the weights of the tempo terms: a softmax over all candidate tempi in which those within
 * 2.5 % of the truth should win (multinomial logistic regression, gradient descent with momentum).
 */
export function fitWeights(pieces: readonly Piece[]): number[] {
  const tempi = candidateTempi()
  const size = pieces[0] ? tempoTerms(pieces[0].rhythm, 120).length : 0
  const count = pieces.length * tempi.length
  const terms = new Float64Array(count * size)
  const right = new Uint8Array(count)
  const prior = tempi.map((tempo) => -(Math.log2(tempo / PRIOR_BPM) ** 2) / (2 * PRIOR_VARIANCE))
  pieces.forEach(({ bpm, rhythm }, piece) => {
    tempi.forEach((tempo, i) => {
      const row = piece * tempi.length + i
      terms.set(tempoTerms(rhythm, tempo), row * size)
      right[row] = Math.abs(tempo / bpm - 1) < 0.025 ? 1 : 0
    })
  })
  const scale = standardise(terms, size)
  // Weights of the scaled terms; the learned part stands beside the fixed prior.
  const weights = new Float64Array(size)
  const speed = new Float64Array(size)
  const gradient = new Float64Array(size)
  const odds = new Float64Array(tempi.length)
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    for (let d = 0; d < size; d++) gradient[d] = 2 * DECAY * weights[d]!
    for (let first = 0; first < count; first += tempi.length) {
      let total = 0
      let rightTotal = 1e-12
      for (let i = 0; i < tempi.length; i++) {
        let score = prior[i]!
        const row = (first + i) * size
        for (let d = 0; d < size; d++) score += terms[row + d]! * weights[d]!
        odds[i] = Math.exp(score)
        total += odds[i]!
        if (right[first + i]) rightTotal += odds[i]!
      }
      for (let i = 0; i < tempi.length; i++) {
        const wanted = right[first + i] ? odds[i]! / rightTotal : 0
        const excess = (odds[i]! / total - wanted) / pieces.length
        const row = (first + i) * size
        for (let d = 0; d < size; d++) gradient[d]! += excess * terms[row + d]!
      }
    }
    for (let d = 0; d < size; d++) {
      speed[d] = 0.9 * speed[d]! - 0.05 * gradient[d]!
      weights[d]! += speed[d]!
    }
  }
  return withPrior(Array.from(weights, (weight, d) => weight / scale[d]!))
}

/** Divides each column by its standard deviation, in place, and answers the deviations. */
function standardise(terms: Float64Array, size: number): number[] {
  const rows = terms.length / size
  return Array.from({ length: size }, (_, d) => {
    let sum = 0
    let squares = 0
    for (let at = d; at < terms.length; at += size) {
      sum += terms[at]!
      squares += terms[at]! ** 2
    }
    const deviation = Math.sqrt(squares / rows - (sum / rows) ** 2)
    for (let at = d; at < terms.length; at += size) terms[at]! /= deviation
    return deviation
  })
}

/** Adds the prior to the last two terms, octaves from the terms' centre and their square. */
function withPrior(weights: number[]): number[] {
  const offset = Math.log2(PRIOR_BPM / 112)
  weights[weights.length - 2]! += offset / PRIOR_VARIANCE
  weights[weights.length - 1]! -= 1 / (2 * PRIOR_VARIANCE)
  return weights
}
