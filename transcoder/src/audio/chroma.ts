/** Steps per semitone of the pitch histogram: 10 cents each. */
const STEPS = 10
const STEPS_PER_OCTAVE = 12 * STEPS
/** Peaks are read from A1 to C8: below, an 8192-point frame cannot tell semitones apart. */
const MIN_HZ = 55
const MAX_HZ = 4200
/** C0 with A4 = 440 Hz. */
const C0_HZ = 440 * 2 ** (-57 / 12)

/** What the pitches of a whole track add up to. */
export type ChromaSummary = {
  /** Twelve weights from C to B after removing the tuning offset; they sum to 1, or are all 0. */
  chroma: number[]
  /** How far the tuning lies above A4 = 440 Hz, in cents, -50 … 50. */
  tuningCents: number
  /** Share of the magnitude that lies in spectral peaks, 0 … 1: how pitched the sound is. */
  pitchedness: number
  /** Mean distance of neighbouring frames' chroma, 0 (held) … 1 (all different). */
  motion: number
}

/**
 * Makes a pitch-class profile of spectral peaks.
 *
 * Peaks are interpolated (a parabola through log power) and collected in a histogram of 10 cents,
 * so that the tuning can be found at the end from all of it and the twelve classes folded around
 * it: a recording 30 cents off A = 440 Hz keeps its key.
 */
export function makeChroma({ fftSize, sampleRate }: { fftSize: number; sampleRate: number }) {
  const hzPerBin = sampleRate / fftSize
  const from = Math.ceil(MIN_HZ / hzPerBin)
  const to = Math.min(Math.floor(MAX_HZ / hzPerBin), fftSize / 2 - 1)
  const histogram = new Float64Array(STEPS_PER_OCTAVE)
  const frame = new Float64Array(STEPS_PER_OCTAVE)
  let classes = new Float64Array(12)
  let before = new Float64Array(12)
  let pitched = 0
  let motion = 0
  let frames = 0

  return {
    /** Adds the power spectrum of one frame. */
    push(power: Float64Array): void {
      frame.fill(0)
      let total = 0
      let inPeaks = 0
      for (let k = from; k <= to; k++) {
        const p = power[k]!
        const magnitude = Math.sqrt(p)
        total += magnitude
        if (p <= power[k - 1]! || p < power[k + 1]! || p === 0) continue
        // A peak must stand out of its surroundings, else noise counts as pitch.
        const around = power[k - 4]! + power[k - 3]! + power[k + 3]! + power[k + 4]!
        if (p < 2 * around) continue
        const left = Math.log(power[k - 1]! + 1e-30)
        const right = Math.log(power[k + 1]! + 1e-30)
        const bend = left - 2 * Math.log(p) + right
        const hz = (k + (bend < 0 ? (left - right) / (2 * bend) : 0)) * hzPerBin
        const step = Math.round(STEPS_PER_OCTAVE * Math.log2(hz / C0_HZ))
        frame[step % STEPS_PER_OCTAVE]! += magnitude
        inPeaks += magnitude
      }
      if (inPeaks === 0) return
      frames++
      pitched += Math.min(1, (3 * inPeaks) / total)
      const spare = before
      before = classes
      classes = spare
      fold(frame, 0, classes)
      // The square root keeps one loud chord from outweighing a whole quiet movement.
      const weight = 1 / Math.sqrt(inPeaks)
      for (let i = 0; i < STEPS_PER_OCTAVE; i++) histogram[i]! += frame[i]! * weight
      if (frames > 1) {
        for (let i = 0; i < 12; i++) motion += Math.abs(classes[i]! - before[i]!) / 2
      }
    },

    finish(): ChromaSummary {
      const offset = tuningSteps(histogram)
      const chroma = new Float64Array(12)
      fold(histogram, offset, chroma)
      return {
        chroma: Array.from(chroma),
        tuningCents: (offset * 100) / STEPS,
        pitchedness: frames === 0 ? 0 : pitched / frames,
        motion: frames < 2 ? 0 : motion / (frames - 1),
      }
    },
  }
}

/** Finds the offset from equal temperament in steps: the circular mean over one semitone. */
function tuningSteps(histogram: Float64Array): number {
  let x = 0
  let y = 0
  for (let i = 0; i < STEPS_PER_OCTAVE; i++) {
    x += histogram[i]! * Math.cos((2 * Math.PI * i) / STEPS)
    y += histogram[i]! * Math.sin((2 * Math.PI * i) / STEPS)
  }
  return x === 0 && y === 0 ? 0 : (STEPS * Math.atan2(y, x)) / (2 * Math.PI)
}

/** Sums the steps nearest to each semitone into twelve classes which sum to 1 (or stay 0). */
function fold(histogram: Float64Array, offset: number, classes: Float64Array): void {
  classes.fill(0)
  let total = 0
  for (let i = 0; i < STEPS_PER_OCTAVE; i++) {
    const pitchClass = (Math.round((i - offset) / STEPS) + 12) % 12
    classes[pitchClass]! += histogram[i]!
    total += histogram[i]!
  }
  if (total > 0) for (let i = 0; i < 12; i++) classes[i]! /= total
}
