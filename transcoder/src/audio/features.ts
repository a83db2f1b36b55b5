import type { Key } from './key.ts'

/** Rises whenever a feature is measured differently. */
export const FEATURES_VERSION = 1

/**
 * What people and analytics read about a track. Spectral values are means over frames of 2048
 * samples at 22 050 Hz (Hann, hop 512) which are not silent, unless said otherwise.
 */
export type Features = {
  version: number
  /** Length of the analysed signal in seconds. */
  durationS: number
  /** Beats per minute; null where nothing repeats (speech, rain, silence). */
  tempoBpm: number | null
  /** How periodic the onsets are at that tempo, 0 … 1. */
  tempoStrength: number
  /** Best-fitting key; null where there is no pitch. */
  key: Key | null
  /** Tuning above A4 = 440 Hz in cents, -50 … 50. */
  tuningCents: number
  /** Level between the 10th and 95th percentile of frames that are not silent, in dB. */
  dynamicRangeDb: number
  /** Root mean square of the whole signal, linear; 0.707 is a full-scale sine. */
  rms: number
  /** Mean frequency of the spectrum, weighted by magnitude, in Hz. */
  centroidHz: number
  /** Frequency below which 85 % of the magnitude lies, in Hz. */
  rolloffHz: number
  /** Spread of the spectrum around its centroid, in Hz. */
  bandwidthHz: number
  /** Geometric over arithmetic mean of power, 0 (a tone) … 1 (white). */
  flatness: number
  /** Peak over valley in dB for each band: below 200 Hz, then octaves up to 6.4 kHz, then above. */
  contrastDb: number[]
  /** Sign changes per sample, 0 … 1. */
  zeroCrossingRate: number
  /** Means of mel-frequency cepstral coefficients 0 … 19 (dB, Slaney mel, orthonormal DCT). */
  mfccMean: number[]
  /** Standard deviations of the same. */
  mfccDeviation: number[]
  /** Weight of each pitch class from C to B, over the whole track; sums to 1, or all are 0. */
  chroma: number[]
  /** Notes, hits and other onsets per second. */
  onsetRateHz: number
}
