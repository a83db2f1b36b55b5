/** Upper edges of the bands in hertz: octaves from 200 Hz (Jiang et al., ICME 2002; librosa). */
const EDGES_HZ = [0, 200, 400, 800, 1600, 3200, 6400, Infinity]

/** Number of contrast bands. */
export const CONTRAST_BANDS = EDGES_HZ.length - 1

/** Share of a band's bins which make its peak and its valley (Jiang et al. use 0.02 … 0.2). */
const SHARE = 0.02
/** Contrast is limited to this many decibels: below lies rounding, not sound. */
const RANGE_DB = 100

/**
 * Makes a measurer of spectral contrast: per octave band the decibels between the mean power of its
 * strongest and of its weakest bins. Large for tones, small for noise.
 */
export function makeContrast({ fftSize, sampleRate }: { fftSize: number; sampleRate: number }) {
  const bins = fftSize / 2 + 1
  const edges = EDGES_HZ.map((hz) => Math.min(bins, Math.ceil((hz * fftSize) / sampleRate)))
  const most = Math.max(1, Math.round(SHARE * bins))
  const low = new Float64Array(most)
  const high = new Float64Array(most)

  return {
    /** Writes the contrast of each band of `power`, in dB, to `contrast` from index `at`. */
    measure(power: Float64Array, contrast: Float64Array, at = 0): void {
      for (let band = 0; band < CONTRAST_BANDS; band++) {
        const from = edges[band]!
        const to = edges[band + 1]!
        const count = Math.max(1, Math.round(SHARE * (to - from)))
        // The few extremes are kept sorted by insertion, which is far cheaper than sorting the band.
        low.fill(Infinity, 0, count)
        high.fill(-Infinity, 0, count)
        for (let k = from; k < to; k++) {
          const p = power[k]!
          if (p > high[0]!) {
            let i = 0
            for (; i + 1 < count && high[i + 1]! < p; i++) high[i] = high[i + 1]!
            high[i] = p
          }
          if (p < low[0]!) {
            let i = 0
            for (; i + 1 < count && low[i + 1]! > p; i++) low[i] = low[i + 1]!
            low[i] = p
          }
        }
        let peak = 0
        let valley = 0
        for (let i = 0; i < count; i++) {
          peak += high[i]!
          valley += low[i]!
        }
        const floored = Math.max(valley, peak * 10 ** (-RANGE_DB / 10))
        contrast[at + band] = peak > 0 ? 10 * Math.log10(peak / floored) : 0
      }
    },
  }
}
