import { makeRandom } from './random.ts'

const RATE = 22_050

/** Adds one sound to `out`, starting at a time in seconds, at a linear level. */
export type Hit = (out: Float32Array, atS: number, level: number) => void

/** Makes an instrument's hit from its signal over time; decays to silence within `lengthS`. */
function hit(lengthS: number, signal: (t: number, n: number) => number): Hit {
  const sound = Float32Array.from({ length: Math.round(lengthS * RATE) }, (_, n) =>
    signal(n / RATE, n),
  )
  return play(sound)
}

function noise(seed: number): () => number {
  const random = makeRandom(seed)
  return () => 2 * random() - 1
}

/** A drum kit; every kit differs a little in pitch and decay. */
export function makeKit(seed: number): Record<'kick' | 'snare' | 'hat' | 'ride' | 'shaker', Hit> {
  const random = makeRandom(seed)
  const white = noise(seed + 1)
  const kickHz = 42 + 20 * random()
  const snareHz = 170 + 60 * random()
  const snareDecay = 14 + 14 * random()
  const hatDecay = 40 + 60 * random()
  let last = 0
  const bright = () => {
    const x = white()
    const difference = x - last
    last = x
    return difference
  }
  return {
    kick: hit(0.35, (t) => {
      const phase = kickHz * t + 2.2 * (1 - Math.exp(-30 * t))
      return Math.sin(2 * Math.PI * phase) * Math.exp(-11 * t) * Math.min(1, t * 800)
    }),
    snare: hit(0.3, (t) => {
      const tone = 0.5 * Math.sin(2 * Math.PI * snareHz * t) * Math.exp(-20 * t)
      return (0.6 * white() * Math.exp(-snareDecay * t) + tone) * 0.8
    }),
    hat: hit(0.15, (t) => 0.3 * bright() * Math.exp(-hatDecay * t)),
    ride: hit(0.6, (t) => {
      const ring = Math.sin(2 * Math.PI * 3170 * t) + Math.sin(2 * Math.PI * 4730 * t)
      return (0.15 * bright() + 0.05 * ring) * Math.exp(-7 * t)
    }),
    shaker: hit(0.12, (t) => 0.2 * bright() * Math.min(1, t * 40) * Math.exp(-45 * t)),
  }
}

/**
 * Makes a note: a band-limited sawtooth that darkens as it decays.
 *
 * @param attackS rise time; 0.005 plucks, 0.3 swells
 */
export function note(hz: number, lengthS: number, attackS: number, seed: number): Hit {
  const partials = Math.max(1, Math.min(12, Math.floor(6000 / hz)))
  const random = makeRandom(seed)
  const decay = attackS > 0.05 ? 0.8 : 3.5
  const sound = new Float32Array(Math.round(lengthS * RATE))
  for (let p = 1; p <= partials; p++) {
    // A rotating, shrinking pointer: one complex product per sample instead of a sine and an exp.
    const shrink = Math.exp((-decay * (0.5 + p / 4)) / RATE)
    const turnRe = shrink * Math.cos((2 * Math.PI * p * hz) / RATE)
    const turnIm = shrink * Math.sin((2 * Math.PI * p * hz) / RATE)
    const phase = 2 * Math.PI * random()
    let re = Math.cos(phase)
    let im = Math.sin(phase)
    for (let n = 0; n < sound.length; n++) {
      sound[n]! += im / p
      const next = re * turnRe - im * turnIm
      im = re * turnIm + im * turnRe
      re = next
    }
  }
  for (let n = 0; n < sound.length; n++) {
    const t = n / RATE
    sound[n]! *= 0.4 * Math.min(1, t / attackS) * Math.min(1, (lengthS - t) / 0.03)
  }
  return play(sound)
}

function play(sound: Float32Array): Hit {
  return (out, atS, level) => {
    const from = Math.round(atS * RATE)
    for (let n = Math.max(0, -from); n < sound.length && from + n < out.length; n++) {
      out[from + n]! += level * sound[n]!
    }
  }
}
