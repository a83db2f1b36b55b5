/** Frames at or under this level count as digital silence. */
const SILENCE_DB = -90
const CLASS_DB = 0.25
const CLASSES = 480

/** Makes a histogram of frame levels, from which the dynamic range is read at the end. */
export function makeLevels() {
  const counts = new Float64Array(CLASSES)
  let frames = 0
  let power = 0

  return {
    /** Adds the mean power of one frame (1 for a full-scale square wave). */
    push(meanPower: number): void {
      frames++
      power += meanPower
      const db = powerDecibels(meanPower)
      if (db <= SILENCE_DB) return
      const at = Math.floor(-db / CLASS_DB)
      counts[Math.max(0, Math.min(CLASSES - 1, at))]!++
    },
    /** Answers the root mean square of the whole signal, linear. */
    rms: (): number => (frames === 0 ? 0 : Math.sqrt(power / frames)),
    /**
     * Answers the level in dBFS which `share` (0 … 1) of the frames that are not silent do not
     * exceed, to a quarter of a decibel; 0 where all is silent.
     */
    percentileDb(share: number): number {
      const total = counts.reduce((sum, count) => sum + count, 0)
      let above = (1 - share) * total
      for (let at = 0; at < CLASSES; at++) {
        above -= counts[at]!
        if (above < 0) return -(at + 0.5) * CLASS_DB
      }
      return total === 0 ? 0 : -CLASSES * CLASS_DB
    },
  }
}

/** Answers 10·log10 of a power, limited below to -120 dB. */
export function powerDecibels(power: number): number {
  return (10 / Math.LN10) * Math.log(Math.max(power, 1e-12))
}
