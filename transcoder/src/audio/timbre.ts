import { CONTRAST_BANDS, makeContrast } from './contrast.ts'
import { powerDecibels } from './levels.ts'
import { bandDecibels, makeDct } from './mfcc.ts'
import { makeMelBank } from './mel.ts'
import { makeSpectralShape } from './spectral-shape.ts'

/** Number of mel bands, and of cepstral coefficients kept of them. */
export const MEL_BANDS = 64
export const MFCC_COUNT = 20

/** Where each measurement stands in a frame's vector. */
export const FRAME = {
  mfcc: 0,
  contrast: MFCC_COUNT,
  logCentroid: MFCC_COUNT + CONTRAST_BANDS,
  logBandwidth: MFCC_COUNT + CONTRAST_BANDS + 1,
  logRolloff: MFCC_COUNT + CONTRAST_BANDS + 2,
  logFlatness: MFCC_COUNT + CONTRAST_BANDS + 3,
  logCrossings: MFCC_COUNT + CONTRAST_BANDS + 4,
  level: MFCC_COUNT + CONTRAST_BANDS + 5,
  centroidHz: MFCC_COUNT + CONTRAST_BANDS + 6,
  bandwidthHz: MFCC_COUNT + CONTRAST_BANDS + 7,
  rolloffHz: MFCC_COUNT + CONTRAST_BANDS + 8,
  flatness: MFCC_COUNT + CONTRAST_BANDS + 9,
  crossings: MFCC_COUNT + CONTRAST_BANDS + 10,
} as const

/** Length of a frame's vector. */
export const FRAME_SIZE = MFCC_COUNT + CONTRAST_BANDS + 11

/** Makes the measurer of one short frame: everything about its colour, nothing about time. */
export function makeTimbre({ fftSize, sampleRate }: { fftSize: number; sampleRate: number }) {
  const mel = makeMelBank({
    bands: MEL_BANDS,
    fftSize,
    sampleRate,
    minHz: 0,
    maxHz: sampleRate / 2,
  })
  const dct = makeDct(MEL_BANDS, MFCC_COUNT)
  const contrast = makeContrast({ fftSize, sampleRate })
  const spectralShape = makeSpectralShape({ fftSize, sampleRate })
  const energies = new Float64Array(MEL_BANDS)
  const shape = { centroidHz: 0, bandwidthHz: 0, rolloffHz: 0, flatness: 0 }

  return {
    /**
     * Writes a frame's vector and its mel levels in dB.
     *
     * @param power fftSize/2 + 1 bins
     * @param crossings sign changes per sample
     * @param meanPower mean square of the frame's samples
     */
    measure(
      {
        power,
        crossings,
        meanPower,
      }: { power: Float64Array; crossings: number; meanPower: number },
      vector: Float64Array,
      melDecibels: Float64Array,
    ): void {
      mel.apply(power, energies)
      bandDecibels(energies, melDecibels)
      dct.apply(melDecibels, vector, FRAME.mfcc)
      contrast.measure(power, vector, FRAME.contrast)
      spectralShape.measure(power, shape)
      // Logarithms, because pitch and brightness are heard in ratios; the offsets tame zero.
      vector[FRAME.logCentroid] = Math.log2(shape.centroidHz + 20)
      vector[FRAME.logBandwidth] = Math.log2(shape.bandwidthHz + 20)
      vector[FRAME.logRolloff] = Math.log2(shape.rolloffHz + 20)
      vector[FRAME.logFlatness] = Math.log10(shape.flatness + 1e-8)
      vector[FRAME.logCrossings] = Math.log2(crossings + 0.002)
      vector[FRAME.level] = powerDecibels(meanPower)
      vector[FRAME.centroidHz] = shape.centroidHz
      vector[FRAME.bandwidthHz] = shape.bandwidthHz
      vector[FRAME.rolloffHz] = shape.rolloffHz
      vector[FRAME.flatness] = shape.flatness
      vector[FRAME.crossings] = crossings
    },
  }
}
