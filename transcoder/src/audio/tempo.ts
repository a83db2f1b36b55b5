import { makeAutocorrelation } from './autocorrelation.ts'

/** Tempi considered, in BPM, and the ratio between neighbours. */
const MIN_BPM = 50
const MAX_BPM = 210
const STEP = 1.01
/** Longest lag needed: four beats at the slowest tempo. */
const MAX_LAG_S = (4 * 60) / MIN_BPM

/** Multiples of the beat at which the autocorrelations are read. */
const MULTIPLES = [0.5, 1, 2, 3, 4]
/** Tempo at which the terms of the tempo itself are zero. */
const CENTRE_BPM = 112

/**
 * Weights of {@link tempoTerms}, fitted to synthesised grooves by `npm run bench:tempo -- --fit` and
 * rounded. In words: a beat repeats at its multiples; half a beat later other instruments play but
 * kick and bass do not repeat; kick and bass repeat every bar; tempi near 120 are the usual ones.
 * The low band is what settles the octave.
 */
const WEIGHTS = [4.7, 3.5, 0.7, 2.2, 0.6, -4.8, 1.6, 3.8, 0.1, 8.2, 1.9, -2.7]

/** A track's tempo. */
export type Tempo = {
  /** Beats per minute; null where nothing repeats. */
  bpm: number | null
  /** Autocorrelation of the onsets one beat apart, 0 (none) … 1 (exactly periodic). */
  strength: number
}

/** Mean autocorrelations of the onset envelopes by lag in frames. */
export type Rhythm = { all: Float64Array; low: Float64Array; frameRate: number }

/**
 * Makes a collector of rhythm from two onset envelopes: of all bands and of the low ones, where kick
 * and bass are.
 *
 * @param frameRate values per second
 */
export function makeRhythm({ frameRate }: { frameRate: number }) {
  const all = makeAutocorrelation({ frameRate, maxLagS: MAX_LAG_S })
  const low = makeAutocorrelation({ frameRate, maxLagS: MAX_LAG_S })
  return {
    push(flux: number, lowFlux: number): void {
      all.push(flux)
      low.push(lowFlux)
    },
    /** Answers null for less than two seconds. */
    finish(): Rhythm | null {
      const [allLags, lowLags] = [all.finish(), low.finish()]
      return allLags && lowLags ? { all: allLags, low: lowLags, frameRate } : null
    },
  }
}

/** Lists the tempi that are considered, slowest first, in BPM. */
export function candidateTempi(): number[] {
  const count = Math.floor(Math.log(MAX_BPM / MIN_BPM) / Math.log(STEP)) + 1
  return Array.from({ length: count }, (_, i) => MIN_BPM * STEP ** i)
}

/** Answers what speaks for a tempo: both autocorrelations at its beat's multiples, and itself. */
export function tempoTerms({ all, low, frameRate }: Rhythm, bpm: number): number[] {
  const period = (60 * frameRate) / bpm
  const octaves = Math.log2(bpm / CENTRE_BPM)
  return [
    ...MULTIPLES.map((multiple) => valueAt(all, multiple * period)),
    ...MULTIPLES.map((multiple) => valueAt(low, multiple * period)),
    octaves,
    octaves * octaves,
  ]
}

/** Finds the tempo whose weighted terms add up to most, then sharpens it. */
export function findTempo(rhythm: Rhythm | null, weights: readonly number[] = WEIGHTS): Tempo {
  const none = { bpm: null, strength: 0 }
  if (!rhythm) return none
  let best = { bpm: 0, score: -Infinity }
  for (const bpm of candidateTempi()) {
    const score = tempoTerms(rhythm, bpm).reduce((sum, term, i) => sum + term * weights[i]!, 0)
    if (score > best.score) best = { bpm, score }
  }
  const period = sharpen(rhythm.all, (60 * rhythm.frameRate) / best.bpm)
  const strength = Math.min(1, valueAt(rhythm.all, period))
  return strength > 0 ? { bpm: (60 * rhythm.frameRate) / period, strength } : none
}

/**
 * Moves a period (in frames) to the peak nearby: at one period to within a tenth of a frame by a
 * parabola, then at two and four, where the same error in frames is a smaller one in tempo.
 */
function sharpen(lags: Float64Array, period: number): number {
  let sharp = period
  for (const multiple of [1, 2, 4]) {
    const centre = Math.round(multiple * sharp)
    let peak = centre
    for (let lag = centre - 2; lag <= centre + 2; lag++) {
      if (lag > 0 && lag < lags.length - 1 && lags[lag]! > lags[peak]!) peak = lag
    }
    const [left, middle, right] = [lags[peak - 1] ?? 0, lags[peak] ?? 0, lags[peak + 1] ?? 0]
    if (middle <= left || middle <= right) continue
    const refined = (peak + (left - right) / (2 * (left - 2 * middle + right))) / multiple
    // A neighbouring peak further than 3 % off is another rhythm, not a better reading of this one.
    if (Math.abs(refined / period - 1) < 0.03) sharp = refined
  }
  return sharp
}

function valueAt(values: Float64Array, position: number): number {
  const i = Math.floor(position)
  const fraction = position - i
  return (values[i] ?? 0) * (1 - fraction) + (values[i + 1] ?? 0) * fraction
}
