import { STYLES } from './groove-styles.ts'
import { makeKit, note } from './instruments.ts'
import { makeRandom } from './random.ts'

const RATE = 22_050

/** A synthesised piece of steady music. */
export type Groove = { name: string; bpm: number; samples: Float32Array }

/**
 * Plays groove number `index`: the styles in turn, each at tempi spread over its range, with its own
 * kit, chords, melody, swing, timing errors of some milliseconds, fills, missed hits, drums between loud
 * and 20 dB under the rest, and a thin, driven or roomy mix. The same index always gives the same samples.
 *
 * @returns mono samples at 22 050 Hz
 */
export function makeGroove(index: number, lengthS: number): Groove {
  const random = makeRandom(7919 * index + 13)
  const style = STYLES[index % STYLES.length]!
  const [slowest, fastest] = style.range
  const bpm = slowest * (fastest / slowest) ** random()
  const samples = new Float32Array(Math.round(lengthS * RATE))
  const kit = makeKit(index)
  const drumLevel = 10 ** (-(20 * random()) / 20)
  const swing = style.swing * (0.7 + 0.6 * random())
  const jitterS = 0.002 + 0.01 * random()
  const gauss = () => random() + random() + random() - 1.5
  const sixteenthS = 15 / bpm
  const steps = 4 * style.beats
  const startS = random() * 0.5
  const rootHz = 55 * 2 ** (random() * 0.8)
  const swells = random() < 0.3
  const progression = [0, 5, 7, 3, -2, -4].toSorted(() => random() - 0.5)
  const melodyDensity = 0.15 + 0.35 * random()

  const timeOf = (bar: number, step: number) => {
    const unit = style.swings === 'eighths' ? 2 : 1
    const late = Math.floor(step / unit) % 2 === 1 ? swing * unit : 0
    return startS + (bar * steps + step + late) * sixteenthS + gauss() * jitterS
  }

  const bars = Math.ceil(lengthS / (steps * sixteenthS))
  for (let bar = 0; bar < bars; bar++) {
    const chord = progression[bar % 4]!
    const fill = bar % 8 === 7
    for (let step = 0; step < steps; step++) {
      for (const [drum, pattern] of Object.entries(style.drums)) {
        let level = levelOf(pattern[step])
        if (fill && drum === 'snare' && step >= steps - 4) level = 0.8
        if (random() < 0.03) level = 0
        const hit = kit[drum as keyof typeof kit]
        if (level > 0) hit(samples, timeOf(bar, step), level * drumLevel * (0.85 + 0.3 * random()))
      }
      const tone = (semitones: number) => rootHz * 2 ** ((chord + semitones) / 12)
      if (levelOf(style.bass[step]) > 0) {
        const play = note(tone(random() < 0.8 ? 0 : 7), 2.5 * sixteenthS, 0.006, index)
        play(samples, timeOf(bar, step), 0.35)
      }
      if (levelOf(style.chords[step]) > 0) {
        for (const third of [24, 28, 31]) {
          const play = note(
            tone(third),
            swells ? 1.2 : 3 * sixteenthS,
            swells ? 0.15 : 0.008,
            index,
          )
          play(samples, timeOf(bar, step), 0.12)
        }
      }
      if (step % 2 === 0 && random() < melodyDensity) {
        const degree = [36, 38, 40, 43, 45, 48][Math.floor(6 * random())]!
        note(
          tone(degree),
          sixteenthS * (2 + 4 * random()),
          0.01,
          index,
        )(samples, timeOf(bar, step), 0.16)
      }
    }
  }
  master(samples, Math.floor(random() * 4), random)
  const hiss = 10 ** (-(45 + 25 * random()) / 20)
  const peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9)
  for (let i = 0; i < samples.length; i++) {
    samples[i] = (0.8 * samples[i]!) / peak + hiss * (2 * random() - 1)
  }
  return { name: style.name, bpm, samples }
}

/** Treats the mix as records are treated: left alone, thin, driven, or in a room. */
function master(samples: Float32Array, treatment: number, random: () => number): void {
  if (treatment === 1) {
    // A first-order high-pass, twice: a small loudspeaker, with little left of kick and bass.
    const keep = Math.exp((-2 * Math.PI * (80 + 170 * random())) / RATE)
    for (let pass = 0; pass < 2; pass++) {
      let low = 0
      for (let i = 0; i < samples.length; i++) {
        low = keep * low + (1 - keep) * samples[i]!
        samples[i]! -= low
      }
    }
  } else if (treatment === 2) {
    const drive = 1 + 5 * random()
    for (let i = 0; i < samples.length; i++) samples[i] = Math.tanh(drive * samples[i]!)
  } else if (treatment === 3) {
    // Echoes at four lengths that share no factor, fed back: a simple room of up to two seconds.
    const feedback = 0.55 + 0.25 * random()
    const dry = samples.slice()
    for (const delay of [661, 853, 1009, 1277]) {
      const wet = dry.slice()
      for (let i = delay; i < wet.length; i++) wet[i]! += feedback * wet[i - delay]!
      for (let i = 0; i < wet.length; i++) samples[i]! += 0.12 * (wet[i]! - dry[i]!)
    }
  }
}

/** Number of styles; grooves 0 … GROOVE_STYLES - 1 play each of them once. */
export const GROOVE_STYLES = STYLES.length

function levelOf(mark: string | undefined): number {
  return mark === 'X' ? 1 : mark === 'x' ? 0.7 : mark === 'o' ? 0.3 : 0
}
