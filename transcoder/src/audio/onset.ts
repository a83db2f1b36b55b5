/** Band levels further than this under the recent peak are no onset's business. */
const RANGE_DB = 60
/** Time in which the recent peak falls by 1 dB. */
const PEAK_FALL_S = 0.5
/** An onset stands out by this factor over the mean of its surroundings, and by this much dB. */
const PROMINENCE = 1.8
const MIN_RISE_DB = 1
/** Bands up to here, some 200 Hz, carry kick and bass. */
const LOW_BANDS = 4
/** Half the span in which an onset must be the highest, and half the span of the local mean. */
const NEIGHBOURS_S = 0.06
const SURROUNDINGS_S = 0.5

/**
 * Makes an onset detector: the mean rise of log band energy from frame to frame (spectral flux, as
 * Böck and Widmer's SuperFlux compares with the neighbouring bands' maximum, DAFx 2013, so that
 * vibrato is no onset) and a count of its prominent peaks.
 *
 * @param bands number of bands
 * @param frameRate frames per second
 */
export function makeOnsets({ bands, frameRate }: { bands: number; frameRate: number }) {
  const before = new Float64Array(bands)
  const level = new Float64Array(bands)
  const fall = 1 / (PEAK_FALL_S * frameRate)
  const neighbours = Math.max(1, Math.round(NEIGHBOURS_S * frameRate))
  const reach = Math.round(SURROUNDINGS_S * frameRate)
  const recent = new Float64Array(2 * reach + 1)
  const rise = { all: 0, low: 0 }
  let recentSum = 0
  let peak = -Infinity
  let frames = 0
  let onsets = 0

  function countPeak(flux: number): void {
    // `recent` is a ring; the frame judged is the one in its middle, `reach` frames ago.
    const at = frames % recent.length
    recentSum += flux - recent[at]!
    recent[at] = flux
    const middle = at - reach + recent.length
    const value = recent[middle % recent.length]!
    if (value < MIN_RISE_DB || value * recent.length < PROMINENCE * recentSum) return
    for (let i = -neighbours; i <= neighbours; i++) {
      const other = recent[(middle + i) % recent.length]!
      if (other > value || (other === value && i < 0)) return
    }
    onsets++
  }

  return {
    /**
     * Adds one frame of band levels in dB and answers its flux: the mean rise per band in dB, over
     * all bands and over the low ones. The object is the same one each time.
     */
    push(decibels: Float64Array): Readonly<{ all: number; low: number }> {
      let highest = -Infinity
      for (let i = 0; i < bands; i++) if (decibels[i]! > highest) highest = decibels[i]!
      peak = Math.max(highest, peak - fall)
      const floor = peak - RANGE_DB
      for (let i = 0; i < bands; i++) level[i] = decibels[i]! > floor ? decibels[i]! : floor
      rise.all = rise.low = 0
      if (frames === 0) before.set(level)
      for (let i = 0; i < bands; i++) {
        let reference = before[i]!
        if (i > 0 && before[i - 1]! > reference) reference = before[i - 1]!
        if (i + 1 < bands && before[i + 1]! > reference) reference = before[i + 1]!
        if (level[i]! <= reference) continue
        rise.all += level[i]! - reference
        if (i < LOW_BANDS) rise.low += level[i]! - reference
      }
      rise.all /= bands
      rise.low /= LOW_BANDS
      before.set(level)
      countPeak(rise.all)
      frames++
      return rise
    },
    /** Answers onsets per second so far; flushes the detector's look-ahead. */
    finish(): number {
      const seconds = frames / frameRate
      for (let i = 0; i < reach; i++, frames++) countPeak(0)
      return seconds === 0 ? 0 : onsets / seconds
    },
  }
}
