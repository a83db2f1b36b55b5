/** The shape of one power spectrum; frequencies in hertz. */
export type SpectralShape = {
  /** Mean frequency, weighted by magnitude. */
  centroidHz: number
  /** Standard deviation of frequency around the centroid, weighted by magnitude. */
  bandwidthHz: number
  /** Frequency below which 85 % of the magnitude lies. */
  rolloffHz: number
  /** Geometric over arithmetic mean of power: 1 for an even spectrum, near 0 for a tone. */
  flatness: number
}

/** Share of the magnitude below the rolloff, librosa's default. */
const ROLLOFF_SHARE = 0.85
/** Power below this counts as this in the flatness (librosa's `amin`), else one zero makes all 0. */
const POWER_FLOOR = 1e-10

/**
 * Makes a measurer of spectral shape. Centroid, bandwidth and rolloff weigh by magnitude, flatness
 * by power: librosa's conventions, so that numbers compare with published ones.
 */
export function makeSpectralShape({
  fftSize,
  sampleRate,
}: {
  fftSize: number
  sampleRate: number
}) {
  const bins = fftSize / 2 + 1
  const hzPerBin = sampleRate / fftSize
  const magnitude = new Float64Array(bins)

  return {
    /** Writes the shape of `power` (fftSize/2 + 1 bins) to `shape`; silence gives zeros. */
    measure(power: Float64Array, shape: SpectralShape): void {
      let total = 0
      let first = 0
      let second = 0
      let powerTotal = 0
      let logTotal = 0
      let product = 1
      for (let k = 0; k < bins; k++) {
        const p = power[k]!
        const m = Math.sqrt(p)
        magnitude[k] = m
        total += m
        first += m * k
        second += m * k * k
        const floored = p > POWER_FLOOR ? p : POWER_FLOOR
        powerTotal += floored
        // One logarithm per 16 bins: 16 powers between 1e-10 and 1e7 stay within a double's range.
        product *= floored
        if ((k & 15) === 15) {
          logTotal += Math.log(product)
          product = 1
        }
      }
      logTotal += Math.log(product)
      if (total === 0) {
        shape.centroidHz = shape.bandwidthHz = shape.rolloffHz = shape.flatness = 0
        return
      }
      const centroid = first / total
      shape.centroidHz = centroid * hzPerBin
      shape.bandwidthHz = Math.sqrt(Math.max(0, second / total - centroid * centroid)) * hzPerBin
      shape.flatness = Math.exp(logTotal / bins) / (powerTotal / bins)
      const target = ROLLOFF_SHARE * total
      let sum = 0
      let k = 0
      for (; k < bins - 1; k++) {
        sum += magnitude[k]!
        if (sum >= target) break
      }
      shape.rolloffHz = k * hzPerBin
    },
  }
}
