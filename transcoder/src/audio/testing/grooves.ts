import { makeKit, note } from './instruments.ts'
import { makeRandom } from './random.ts'

const RATE = 22_050

/**
 * A style of accompaniment. Patterns are bars of 16 sixteenths (or 12 in three-four time), one
 * character each: X accent, x plain, o ghost, . rest.
 */
type Style = {
  name: string
  /** Tempi at which musicians play it, in BPM. */
  range: [number, number]
  beats: 3 | 4
  /** Delay of every second eighth (or sixteenth) as a share of its length: 0 straight, 0.33 triplet. */
  swing: number
  swings: 'eighths' | 'sixteenths'
  drums: Partial<Record<'kick' | 'snare' | 'hat' | 'ride' | 'shaker', string>>
  bass: string
  chords: string
}

const STYLES: Style[] = [
  {
    name: 'rock',
    range: [90, 170],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X.......x.x.....', snare: '....X.......X...', hat: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.x.x.x.x.x.x.x.',
    chords: 'x.......x.......',
  },
  {
    name: 'ballad',
    range: [60, 85],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X.....x.x.......', snare: '....X.......X...', hat: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.....x.x.......',
    chords: 'x...x...x...x...',
  },
  {
    name: 'sixteenth ballad',
    range: [60, 90],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X......xx.......', snare: '....X.......X..o', hat: 'xoxoxoxoxoxoxoxo' },
    bass: 'x......xx.....x.',
    chords: 'x.x.x.x.x.x.x.x.',
  },
  {
    name: 'house',
    range: [115, 135],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X...X...X...X...', snare: '....x.......x...', hat: '..X...X...X...X.' },
    bass: '..x...x...x...x.',
    chords: '...x..x....x..x.',
  },
  {
    name: 'techno',
    range: [125, 150],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X...X...X...X...', hat: '..x...x...x...x.', shaker: 'xoxxxoxxxoxxxoxx' },
    bass: '.xxx.xxx.xxx.xxx',
    chords: 'x..x..x.........',
  },
  {
    name: 'hip hop',
    range: [78, 105],
    beats: 4,
    swing: 0.18,
    swings: 'sixteenths',
    drums: { kick: 'X.....x..xx.....', snare: '....X..o.o..X...', hat: 'x.x.x.x.x.x.x.xx' },
    bass: 'x.....x..xx.....',
    chords: 'x...............',
  },
  {
    name: 'shuffle',
    range: [90, 150],
    beats: 4,
    swing: 0.33,
    swings: 'eighths',
    drums: { kick: 'X.......x.......', snare: '....X.......X...', ride: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.x.x.x.x.x.x.x.',
    chords: '....x.......x...',
  },
  {
    name: 'swing',
    range: [120, 180],
    beats: 4,
    swing: 0.33,
    swings: 'eighths',
    drums: { ride: 'X...x.x.X...x.x.', hat: '....x.......x...', kick: 'o...o...o...o...' },
    bass: 'x...x...x...x...',
    chords: '..x.......x.....',
  },
  {
    name: 'funk',
    range: [88, 118],
    beats: 4,
    swing: 0.08,
    swings: 'sixteenths',
    drums: { kick: 'X..x......x..x..', snare: '....X.oo.o..X..o', hat: 'xxxxxxxxxxxxxxxx' },
    bass: 'x..x..x...x.xx..',
    chords: '..x..x....x..x..',
  },
  {
    name: 'reggae',
    range: [66, 90],
    beats: 4,
    swing: 0.12,
    swings: 'sixteenths',
    drums: { kick: '........X.......', snare: '........X.......', hat: 'x.x.x.x.x.x.x.xo' },
    bass: '..x.x.x...x.x.x.',
    chords: '..x...x...x...x.',
  },
  {
    name: 'bossa',
    range: [110, 150],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X......xX......x', snare: 'x.....x.....x...', shaker: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.....x.x.....x.',
    chords: 'x.....x...x...x.',
  },
  {
    name: 'breakbeat',
    range: [130, 180],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X...x.....x.....', snare: '....X..o.o..X...', hat: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.......x.x.....',
    chords: 'x...............',
  },
  {
    name: 'waltz',
    range: [84, 180],
    beats: 3,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X...........', snare: '....x...x...', hat: 'x...x...x...' },
    bass: 'x...........',
    chords: '....x...x...',
  },
  {
    name: 'latin',
    range: [90, 125],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X...X...X...X...', snare: '...x..x....x..x.', shaker: 'x.xxx.xxx.xxx.xx' },
    bass: '...x..x....x..x.',
    chords: 'x..x..x.x..x..x.',
  },
  {
    name: 'plain',
    range: [60, 180],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X.......X.......', snare: '....X.......X...', hat: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.......x.......',
    chords: 'x...............',
  },
  {
    name: 'plain swung',
    range: [60, 180],
    beats: 4,
    swing: 0.28,
    swings: 'eighths',
    drums: { kick: 'X.......X.......', snare: '....X.......X...', hat: 'x.x.x.x.x.x.x.x.' },
    bass: 'x.....x.x.....x.',
    chords: '....x.......x...',
  },
  {
    name: 'syncopated',
    range: [60, 170],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X..x..x...x..x..', snare: '....X..o....X..o', hat: 'x.x.x.x.x.x.x.x.' },
    bass: 'x..x..x...x..x..',
    chords: '..x...x..x...x..',
  },
  {
    name: 'punk',
    range: [145, 180],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X.....x.X.x.....', snare: '....X.......X...', hat: 'X.x.X.x.X.x.X.x.' },
    bass: 'x.x.x.x.x.x.x.x.',
    chords: 'x.x.x.x.x.x.x.x.',
  },
  {
    name: 'disco',
    range: [105, 130],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X...X...X...X...', snare: '....X.......X...', hat: 'x.X.x.X.x.X.x.X.' },
    bass: 'x.x.x.x.x.x.x.x.',
    chords: '..x...x..x.x..x.',
  },
  {
    name: 'march',
    range: [90, 130],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X.......X.......', snare: 'x...x.xxx...xxxx' },
    bass: 'x.......x.......',
    chords: '....x.......x...',
  },
  {
    name: 'train beat',
    range: [90, 125],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: { kick: 'X...x...X...x...', snare: 'ooXoooXoooXoooXo' },
    bass: 'x...x...x...x...',
    chords: '..x...x...x...x.',
  },
  {
    name: 'slow waltz',
    range: [60, 100],
    beats: 3,
    swing: 0,
    swings: 'eighths',
    drums: { kick: 'X...x...X...', snare: '....X.......', hat: 'xoxoxoxoxoxo' },
    bass: 'x...x...x...',
    chords: 'x...........',
  },
  {
    name: 'arpeggio',
    range: [60, 120],
    beats: 4,
    swing: 0,
    swings: 'sixteenths',
    drums: {},
    bass: 'x.......x.......',
    chords: 'x.xxx.xxx.xxx.xx',
  },
  {
    name: 'no drums',
    range: [66, 150],
    beats: 4,
    swing: 0,
    swings: 'eighths',
    drums: {},
    bass: 'x...x...x...x...',
    chords: 'x.x.x.x.x.x.x.x.',
  },
]

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
