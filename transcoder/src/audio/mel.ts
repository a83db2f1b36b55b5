/**
 * Slaney's mel scale (Auditory Toolbox, 1998): linear to 1 kHz at 200/3 Hz per mel, logarithmic
 * above with 27 mels per factor 6.4. It is librosa's default too.
 */
export function hzToMel(hz: number): number {
  return hz < 1000 ? (3 * hz) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4)
}

/** Inverts {@link hzToMel}. */
export function melToHz(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp((Math.log(6.4) / 27) * (mel - 15))
}

/**
 * Makes a bank of triangular filters, equally spaced in mel, each of unit area over frequency
 * ("slaney" normalisation), stored sparsely.
 *
 * @param minHz lower edge of the first band
 * @param maxHz upper edge of the last band
 */
export function makeMelBank({
  bands,
  fftSize,
  sampleRate,
  minHz,
  maxHz,
}: {
  bands: number
  fftSize: number
  sampleRate: number
  minHz: number
  maxHz: number
}) {
  const low = hzToMel(minHz)
  const step = (hzToMel(maxHz) - low) / (bands + 1)
  const edges = Array.from({ length: bands + 2 }, (_, i) => melToHz(low + i * step))
  const hzPerBin = sampleRate / fftSize
  const first = new Uint32Array(bands)
  const weightsOf: Float64Array[] = []
  for (let band = 0; band < bands; band++) {
    const [left, centre, right] = [edges[band]!, edges[band + 1]!, edges[band + 2]!]
    const from = Math.ceil(left / hzPerBin)
    const to = Math.min(Math.floor(right / hzPerBin), fftSize / 2)
    first[band] = from
    weightsOf.push(
      Float64Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => {
        const hz = (from + i) * hzPerBin
        const rise = (hz - left) / (centre - left)
        const fall = (right - hz) / (right - centre)
        return (2 / (right - left)) * Math.max(0, Math.min(rise, fall))
      }),
    )
  }

  return {
    bands,
    /** Writes the energy of each band of `power` (fftSize/2 + 1 bins) to `energies`. */
    apply(power: Float64Array, energies: Float64Array): void {
      for (let band = 0; band < bands; band++) {
        const weights = weightsOf[band]!
        const offset = first[band]!
        let sum = 0
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[offset + i]!
        energies[band] = sum
      }
    },
  }
}
