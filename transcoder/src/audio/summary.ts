import type { ChromaSummary } from './chroma.ts'
import { CONTRAST_BANDS } from './contrast.ts'
import type { Key } from './key.ts'
import type { Statistics } from './statistics.ts'
import type { Tempo } from './tempo.ts'
import { FRAME, MFCC_COUNT } from './timbre.ts'

/** What is known of a track once its last sample has been heard. */
export type TrackMeasurements = {
  frames: Statistics
  chroma: ChromaSummary
  key: Key | null
  tempo: Tempo
  onsetRateHz: number
  dynamicRangeDb: number
}

/** Length of a summary. */
export const SUMMARY_SIZE = 88

/** How many cepstral coefficients' changes are kept: the higher ones flicker in any sound. */
const CHANGES = 13

/**
 * Lays a track's measurements out as the vector that the embedding is projected from. Nothing in it
 * depends on the gain: the mean level and the mean of MFCC 0 are left out.
 */
export function summarise(track: TrackMeasurements): Float64Array {
  const { mean, deviation, change, activeShare } = track.frames
  const scalars = [
    FRAME.logCentroid,
    FRAME.logBandwidth,
    FRAME.logRolloff,
    FRAME.logFlatness,
    FRAME.logCrossings,
  ]
  const { chroma, pitchedness, motion } = track.chroma
  const sorted = chroma.toSorted((a, b) => b - a)
  return Float64Array.from([
    ...mean.subarray(1, MFCC_COUNT),
    ...logs(deviation.subarray(0, MFCC_COUNT)),
    ...logs(change.subarray(0, CHANGES)),
    ...mean.subarray(FRAME.contrast, FRAME.contrast + CONTRAST_BANDS),
    ...deviation.subarray(FRAME.contrast, FRAME.contrast + CONTRAST_BANDS),
    ...scalars.map((at) => mean[at]!),
    ...scalars.map((at) => deviation[at]!),
    deviation[FRAME.level]!,
    change[FRAME.level]!,
    activeShare,
    track.dynamicRangeDb,
    pitchedness,
    motion,
    sorted[0]!,
    sorted[0]! + sorted[1]! + sorted[2]!,
    track.key?.mode === 'minor' ? -track.key.confidence : (track.key?.confidence ?? 0),
    Math.log2((track.tempo.bpm ?? 110) / 110),
    track.tempo.strength,
    Math.log2(track.onsetRateHz + 0.25),
  ])
}

/**
 * Answers how much each summary dimension counts after z-scoring. Fine spectral detail (the higher
 * cepstral coefficients) counts less than the rough shape and how it moves, the course of the level
 * more; found by cross-validation, and flat around these values.
 */
export function summaryWeights(): Float64Array {
  const means = MFCC_COUNT - 1
  const cepstral = means + MFCC_COUNT + CHANGES
  const levels = cepstral + 2 * CONTRAST_BANDS + 10
  const weights = new Float64Array(SUMMARY_SIZE).fill(1)
  for (let i = 0; i < means; i++) weights[i] = 0.9 - (0.6 * i) / (means - 1)
  for (let i = 0; i < MFCC_COUNT; i++) weights[means + i] = 1.3 - (0.5 * i) / (MFCC_COUNT - 1)
  return weights.fill(1.5, levels, levels + 4)
}

/** Logarithms of spreads: they are skewed, and z-scores want symmetry. */
function logs(values: Float64Array): number[] {
  return Array.from(values, (value) => Math.log(value + 0.1))
}
