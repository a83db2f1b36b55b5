/** Length of the windows whose autocorrelations are averaged, and the step between them. */
const WINDOW_S = 12
const STEP_S = 3
/** Less than this much signal has no rhythm worth the name. */
const SHORTEST_S = 2

/**
 * Makes the mean autocorrelation of an envelope over windows of 12 s. It keeps one window and the
 * sums, so memory does not grow with the track, and a tempo that drifts over minutes stays sharp.
 *
 * @param frameRate values per second
 * @param maxLagS longest lag answered
 */
export function makeAutocorrelation({
  frameRate,
  maxLagS,
}: {
  frameRate: number
  maxLagS: number
}) {
  const size = Math.round(WINDOW_S * frameRate)
  const step = Math.round(STEP_S * frameRate)
  const lags = Math.ceil(maxLagS * frameRate) + 2
  const window = new Float64Array(size)
  const centred = new Float64Array(size)
  const sums = new Float64Array(lags)
  let filled = 0
  let windows = 0
  let whole = false

  function addWindow(length: number): void {
    windows++
    let sum = 0
    for (let i = 0; i < length; i++) sum += window[i]!
    let energy = 0
    for (let i = 0; i < length; i++) {
      centred[i] = window[i]! - sum / length
      energy += centred[i]! * centred[i]!
    }
    if (energy === 0) return
    for (let lag = 0; lag < lags && lag < length - 1; lag++) {
      let product = 0
      for (let i = lag; i < length; i++) product += centred[i]! * centred[i - lag]!
      // Fewer products add up at longer lags: scaled up to the full length.
      sums[lag]! += (product / energy) * (length / (length - lag))
    }
  }

  return {
    push(value: number): void {
      window[filled++] = value
      if (filled < size) return
      whole = true
      addWindow(size)
      window.copyWithin(0, step)
      filled = size - step
    },
    /**
     * Answers the autocorrelation at each lag in frames, 1 at lag 0 (all 0 for a constant
     * envelope); null for less than two seconds.
     */
    finish(): Float64Array | null {
      if (!whole && filled >= SHORTEST_S * frameRate) addWindow(filled)
      return windows === 0 ? null : sums.map((sum) => sum / windows)
    },
  }
}
