/**
 * Makes an orthonormal DCT-II (scipy's `norm='ortho'`, as librosa's MFCC), which turns log band
 * energies into cepstral coefficients.
 *
 * @param inputs number of bands
 * @param outputs number of coefficients kept, the 0th included
 */
export function makeDct(inputs: number, outputs: number) {
  const basis = Float64Array.from({ length: inputs * outputs }, (_, at) => {
    const k = Math.floor(at / inputs)
    const n = at % inputs
    const scale = Math.sqrt((k === 0 ? 1 : 2) / inputs)
    return scale * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * inputs))
  })
  return {
    /** Writes the first `outputs` coefficients of `values` to `coefficients` from index `at`. */
    apply(values: Float64Array, coefficients: Float64Array, at = 0): void {
      for (let k = 0; k < outputs; k++) {
        const row = k * inputs
        let sum = 0
        for (let n = 0; n < inputs; n++) sum += basis[row + n]! * values[n]!
        coefficients[at + k] = sum
      }
    },
  }
}

/**
 * Writes the decibels of `energies` to `decibels`, limited below to 80 dB under the strongest band
 * of the frame (and to -160 dB in all), so that a change of gain only shifts the result.
 */
export function bandDecibels(energies: Float64Array, decibels: Float64Array): void {
  let peak = 1e-8
  for (let i = 0; i < energies.length; i++) if (energies[i]! > peak) peak = energies[i]!
  const floor = peak * 1e-8
  for (let i = 0; i < energies.length; i++) {
    decibels[i] = (10 / Math.LN10) * Math.log(Math.max(energies[i]!, floor))
  }
}
