/** Length of the windows whose autocorrelations are averaged, and the step between them. */
const WINDOW_S = 12
const STEP_S = 3
/** Longest lag kept: four beats at 50 BPM. */
const MAX_LAG_S = 4.8
const MIN_BPM = 50
const MAX_BPM = 210
/** Beats are most often felt near this tempo, with this spread in octaves. */
const PRIOR_BPM = 112
const PRIOR_OCTAVES = 0.75
/** Weights of the autocorrelation at 1 … 4 periods. */
const HARMONICS = [1, 0.6, 0.4, 0.5]

/** A track's tempo. */
export type Tempo = {
  /** Beats per minute; null where nothing repeats. */
  bpm: number | null
  /** Autocorrelation of the onsets one beat apart, 0 (none) … 1 (exactly periodic). */
  strength: number
}

/**
 * Makes a tempo estimator over an onset envelope. It keeps one window of the envelope and the mean
 * of the windows' normalised autocorrelations, so memory does not grow with the track.
 *
 * @param frameRate values per second
 */
export function makeTempo({ frameRate }: { frameRate: number }) {
  const size = Math.round(WINDOW_S * frameRate)
  const step = Math.round(STEP_S * frameRate)
  const lags = Math.round(MAX_LAG_S * frameRate) + 2
  const window = new Float64Array(size)
  const centred = new Float64Array(size)
  const mean = new Float64Array(lags)
  let filled = 0
  let windows = 0

  function addWindow(length: number): void {
    let sum = 0
    for (let i = 0; i < length; i++) sum += window[i]!
    for (let i = 0; i < length; i++) centred[i] = window[i]! - sum / length
    let energy = 0
    for (let i = 0; i < length; i++) energy += centred[i]! * centred[i]!
    if (energy === 0) return
    windows++
    for (let lag = 0; lag < lags && lag < length - 1; lag++) {
      let product = 0
      for (let i = lag; i < length; i++) product += centred[i]! * centred[i - lag]!
      mean[lag]! += (product / energy) * (length / (length - lag))
    }
  }

  return {
    push(onset: number): void {
      window[filled++] = onset
      if (filled < size) return
      addWindow(size)
      window.copyWithin(0, step)
      filled = size - step
    },
    finish(): Tempo {
      if (windows === 0 && filled > 2 * frameRate) addWindow(filled)
      if (windows === 0) return { bpm: null, strength: 0 }
      for (let lag = 0; lag < lags; lag++) mean[lag]! /= windows
      return pickTempo(mean, frameRate)
    },
  }
}

function pickTempo(acf: Float64Array, frameRate: number): Tempo {
  let best = { score: 0, bpm: 0 }
  for (let bpm = MIN_BPM; bpm <= MAX_BPM; bpm *= 1.004) {
    const period = (60 * frameRate) / bpm
    let score = 0
    let weight = 0
    HARMONICS.forEach((w, i) => {
      const lag = (i + 1) * period
      if (lag >= acf.length - 1) return
      score += w * at(acf, lag)
      weight += w
    })
    const octaves = Math.log2(bpm / PRIOR_BPM) / PRIOR_OCTAVES
    score = (score / weight) * Math.exp(-0.5 * octaves * octaves)
    if (score > best.score) best = { score, bpm }
  }
  if (best.score <= 0) return { bpm: null, strength: 0 }
  return { bpm: best.bpm, strength: Math.max(0, Math.min(1, at(acf, (60 * frameRate) / best.bpm))) }
}

function at(values: Float64Array, position: number): number {
  const i = Math.floor(position)
  const fraction = position - i
  return values[i]! * (1 - fraction) + values[i + 1]! * fraction
}
