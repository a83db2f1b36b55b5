/**
 * Makes a power-spectrum transform for real signals of one length.
 *
 * The N real samples are packed as N/2 complex ones, transformed with a radix-4 FFT and untangled,
 * which halves the work of a complex transform (Numerical Recipes, 3rd ed., §12.3). Every buffer is
 * allocated once here: `powerSpectrum` allocates nothing.
 *
 * @param size number of samples N; a power of two, at least 8
 */
export function makeRealFft(size: number) {
  if (size < 8 || !Number.isInteger(Math.log2(size))) {
    throw new RangeError(`FFT size must be a power of two of at least 8, not ${size}`)
  }
  const half = size / 2
  const re = new Float64Array(half)
  const im = new Float64Array(half)
  const reversed = bitReversal(half)
  // exp(-2πik/N): the untangling uses all of it, the butterflies every second entry.
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size))
  const sin = Float64Array.from({ length: half }, (_, k) => -Math.sin((2 * Math.PI * k) / size))
  const passes: { span: number; twiddles: Float64Array }[] = []
  let next = 4
  for (; 4 * next <= half; next *= 4) passes.push({ span: next, twiddles: passTwiddles(next) })
  // An odd number of stages leaves one of radix 2 for the end; else this is `half`, and none.
  const lastSpan = next < half ? next : half

  function transform(): void {
    // The first two stages have twiddles of 1 and -i only: no multiplication.
    for (let i = 0; i < half; i += 4) {
      const aRe = re[i]! + re[i + 1]!
      const aIm = im[i]! + im[i + 1]!
      const bRe = re[i]! - re[i + 1]!
      const bIm = im[i]! - im[i + 1]!
      const cRe = re[i + 2]! + re[i + 3]!
      const cIm = im[i + 2]! + im[i + 3]!
      const dRe = re[i + 2]! - re[i + 3]!
      const dIm = im[i + 2]! - im[i + 3]!
      re[i] = aRe + cRe
      im[i] = aIm + cIm
      re[i + 1] = bRe + dIm
      im[i + 1] = bIm - dRe
      re[i + 2] = aRe - cRe
      im[i + 2] = aIm - cIm
      re[i + 3] = bRe - dIm
      im[i + 3] = bIm + dRe
    }
    // Two stages at a time, with three complex products for four values.
    for (const { span, twiddles } of passes) {
      for (let start = 0; start < half; start += 4 * span) {
        for (let k = 0, t = 0, i = start; k < span; k++, i++, t += 6) {
          const i1 = i + span
          const i2 = i1 + span
          const i3 = i2 + span
          const bRe = re[i1]! * twiddles[t]! - im[i1]! * twiddles[t + 1]!
          const bIm = re[i1]! * twiddles[t + 1]! + im[i1]! * twiddles[t]!
          const cRe = re[i2]! * twiddles[t + 2]! - im[i2]! * twiddles[t + 3]!
          const cIm = re[i2]! * twiddles[t + 3]! + im[i2]! * twiddles[t + 2]!
          const dRe = re[i3]! * twiddles[t + 4]! - im[i3]! * twiddles[t + 5]!
          const dIm = re[i3]! * twiddles[t + 5]! + im[i3]! * twiddles[t + 4]!
          const sumRe = re[i]! + bRe
          const sumIm = im[i]! + bIm
          const restRe = re[i]! - bRe
          const restIm = im[i]! - bIm
          const eRe = cRe + dRe
          const eIm = cIm + dIm
          const fRe = cRe - dRe
          const fIm = cIm - dIm
          re[i] = sumRe + eRe
          im[i] = sumIm + eIm
          re[i1] = restRe + fIm
          im[i1] = restIm - fRe
          re[i2] = sumRe - eRe
          im[i2] = sumIm - eIm
          re[i3] = restRe - fIm
          im[i3] = restIm + fRe
        }
      }
    }
    for (let i = 0, j = lastSpan; j < half; i++, j++) {
      const wRe = cos[2 * i]!
      const wIm = sin[2 * i]!
      const tRe = re[j]! * wRe - im[j]! * wIm
      const tIm = re[j]! * wIm + im[j]! * wRe
      re[j] = re[i]! - tRe
      im[j] = im[i]! - tIm
      re[i] = re[i]! + tRe
      im[i] = im[i]! + tIm
    }
  }

  return {
    /** Number of bins written: N/2 + 1, from 0 Hz to half the sample rate. */
    bins: half + 1,

    /**
     * Writes |X[k]|² of `samples[from … from + N)` multiplied by `window`, unscaled, to `power`.
     *
     * @param window N weights
     * @param power at least N/2 + 1 places
     */
    powerSpectrum(
      samples: Float32Array,
      from: number,
      window: Float64Array,
      power: Float64Array,
    ): void {
      for (let i = 0; i < half; i++) {
        const n = 2 * i
        const to = reversed[i]!
        re[to] = samples[from + n]! * window[n]!
        im[to] = samples[from + n + 1]! * window[n + 1]!
      }
      transform()
      const dc = re[0]! + im[0]!
      const nyquist = re[0]! - im[0]!
      power[0] = dc * dc
      power[half] = nyquist * nyquist
      for (let k = 1, m = half - 1; k <= m; k++, m--) {
        const evenRe = (re[k]! + re[m]!) / 2
        const evenIm = (im[k]! - im[m]!) / 2
        const oddRe = (im[k]! + im[m]!) / 2
        const oddIm = (re[m]! - re[k]!) / 2
        const tRe = oddRe * cos[k]! - oddIm * sin[k]!
        const tIm = oddRe * sin[k]! + oddIm * cos[k]!
        const lowRe = evenRe + tRe
        const lowIm = evenIm + tIm
        const highRe = evenRe - tRe
        const highIm = evenIm - tIm
        power[k] = lowRe * lowRe + lowIm * lowIm
        power[m] = highRe * highRe + highIm * highIm
      }
    },
  }
}

/** Lists W², W and W³ with W = exp(-2πik/(4·span)) for each k, real and imaginary in turn. */
function passTwiddles(span: number): Float64Array {
  return Float64Array.from({ length: 6 * span }, (_, at) => {
    const power = [2, 1, 3][Math.floor((at % 6) / 2)]!
    const angle = (-2 * Math.PI * power * Math.floor(at / 6)) / (4 * span)
    return at % 2 === 0 ? Math.cos(angle) : Math.sin(angle)
  })
}

function bitReversal(length: number): Uint32Array {
  const bits = Math.log2(length)
  return Uint32Array.from({ length }, (_, i) => {
    let reversed = 0
    for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit)
    return reversed
  })
}

/** Makes the periodic Hann window of `size` weights (sum: size / 2). */
export function hannWindow(size: number): Float64Array {
  return Float64Array.from(
    { length: size },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size),
  )
}
