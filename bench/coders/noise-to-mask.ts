import { hannWindow, makeRealFft } from '../../transcoder/src/audio/fft.ts'

const FFT_SIZE = 2048
const HOP = 1024
/** Bands of a quarter of a Bark. */
const BANDS_PER_BARK = 4
const LOWEST_HZ = 80
const HIGHEST_HZ = 16_000
/** Level at which a full-scale sine is thought to be played, dB SPL (ITU-R BS.1387-1 §2.1.3). */
const FULL_SCALE_DB = 92
/** A frame with noise so far above the mask in any band is heard to be distorted (BS.1387-1 §4.6). */
const DISTORTED_DB = 1.5
/** Frames this quiet are not judged, dB under full scale. */
const GATE_DB = -70

export type Quality = {
  /** Noise over masking threshold, mean over bands and frames, dB: lower is better. */
  noiseToMaskDb: number
  /** Of single frames, what nineteen of twenty don't exceed, dB. */
  worstFramesDb: number
  /** Frames with noise above the mask in some band, 0 … 1. */
  distortedFrames: number
  /** Distance of the band levels, root mean square, dB: holes and swapped noise both count. */
  spectralDistanceDb: number
}

type Band = { from: number; to: number; centreBark: number; quietPower: number; offsetDb: number }

/**
 * Measures what a coder did to a signal, after the noise-to-mask ratio of ITU-R BS.1387-1: noise is
 * the difference of the magnitudes of the spectra, so that what only changes phase costs nothing;
 * the mask is the reference's, spread over quarter-Bark bands. Simplified: no outer-ear filter but
 * the threshold in quiet, no smearing over time, no neural network behind it. Both signals are mono,
 * aligned, full scale ±1.
 *
 * @param sampleRate Hz
 */
export function measureQuality(
  reference: Float32Array,
  coded: Float32Array,
  sampleRate: number,
): Quality {
  const fft = makeRealFft(FFT_SIZE)
  const window = hannWindow(FFT_SIZE)
  const bands = makeBands(sampleRate)
  // A full-scale sine has this power in its bin.
  const scale = 10 ** (FULL_SCALE_DB / 10) / (FFT_SIZE / 4) ** 2
  const before = new Float64Array(FFT_SIZE / 2 + 1)
  const after = new Float64Array(FFT_SIZE / 2 + 1)
  const signal = new Float64Array(bands.length)
  const noise = new Float64Array(bands.length)
  const frameRatios: number[] = []
  let distorted = 0
  let distances = 0
  const end = Math.min(reference.length, coded.length) - FFT_SIZE
  for (let at = 0; at < end; at += HOP) {
    if (level(reference, at) < GATE_DB) continue
    fft.powerSpectrum(reference, at, window, before)
    fft.powerSpectrum(coded, at, window, after)
    let distance = 0
    for (const [b, { from, to, quietPower }] of bands.entries()) {
      let [s, n, c] = [0, 0, 0]
      for (let bin = from; bin < to; bin++) {
        s += before[bin]!
        c += after[bin]!
        n += (Math.sqrt(before[bin]!) - Math.sqrt(after[bin]!)) ** 2
      }
      signal[b] = s * scale
      noise[b] = n * scale
      // Limited to what can be heard, so that silence against less silence is no difference.
      distance += (decibels(s * scale + quietPower) - decibels(c * scale + quietPower)) ** 2
    }
    distances += distance / bands.length
    const mask = spread(signal, bands)
    let sum = 0
    let worst = 0
    for (let b = 0; b < bands.length; b++) {
      const ratio = noise[b]! / mask[b]!
      sum += ratio
      worst = Math.max(worst, ratio)
    }
    frameRatios.push(sum / bands.length)
    if (decibels(worst) > DISTORTED_DB) distorted++
  }
  const frames = frameRatios.length
  const sorted = frameRatios.toSorted((a, b) => a - b)
  return {
    noiseToMaskDb: decibels(frameRatios.reduce((sum, each) => sum + each, 0) / frames),
    worstFramesDb: decibels(sorted[Math.floor(0.95 * frames)]!),
    distortedFrames: distorted / frames,
    spectralDistanceDb: Math.sqrt(distances / frames),
  }
}

const decibels = (power: number) => 10 * Math.log10(power)

/** Schroeder's approximation, as in BS.1387-1. */
const bark = (hz: number) => 7 * Math.asinh(hz / 650)
const hzOf = (z: number) => 650 * Math.sinh(z / 7)

function makeBands(sampleRate: number): Band[] {
  const bands: Band[] = []
  const bin = (hz: number) => Math.round((hz * FFT_SIZE) / sampleRate)
  const last = bark(HIGHEST_HZ)
  for (let z = bark(LOWEST_HZ); z < last; z += 1 / BANDS_PER_BARK) {
    const from = bin(hzOf(z))
    const to = bin(hzOf(z + 1 / BANDS_PER_BARK))
    // Low down, a band may be narrower than a bin.
    if (to <= from) continue
    const centreBark = z + 0.5 / BANDS_PER_BARK
    const kHz = hzOf(centreBark) / 1000
    bands.push({
      from,
      to,
      centreBark,
      // The ear's own noise and the threshold in quiet (BS.1387-1 §2.1.4, §2.1.7).
      quietPower: 10 ** (0.1 * (3.64 * kHz ** -0.8 + 1e-3 * kHz ** 3.6)),
      // How far the mask lies under what masks (BS.1387-1 §3.2).
      offsetDb: centreBark <= 12 ? 3 : 0.25 * centreBark,
    })
  }
  return bands
}

/** Spreads power over neighbouring bands: 27 dB/Bark down, flatter up the louder it is. */
function spread(signal: Float64Array, bands: readonly Band[]): Float64Array {
  const mask = new Float64Array(bands.length)
  for (const [b, { quietPower }] of bands.entries()) mask[b] = quietPower
  const reach = 6 * BANDS_PER_BARK
  for (const [b, { centreBark }] of bands.entries()) {
    const power = signal[b]!
    if (power < 1e-3) continue
    const hz = hzOf(centreBark)
    const down = 10 ** (-27 / BANDS_PER_BARK / 10)
    const up = 10 ** (Math.min(-4, -24 - 230 / hz + 0.2 * decibels(power)) / BANDS_PER_BARK / 10)
    // What is spread is shared out, so that the sum stays what it was.
    let total = 1
    for (let k = 1, d = down, u = up; k <= reach; k++, d *= down, u *= up) total += d + u
    mask[b]! += power / total
    for (let k = 1, d = down, u = up; k <= reach; k++, d *= down, u *= up) {
      if (b >= k) mask[b - k]! += (power * d) / total
      if (b + k < bands.length) mask[b + k]! += (power * u) / total
    }
  }
  for (const [b, { offsetDb, quietPower }] of bands.entries()) {
    mask[b] = Math.max(quietPower, mask[b]! * 10 ** (-offsetDb / 10))
  }
  return mask
}

function level(samples: Float32Array, at: number): number {
  let sum = 0
  for (let i = at; i < at + FFT_SIZE; i++) sum += samples[i]! ** 2
  return decibels(sum / FFT_SIZE)
}
