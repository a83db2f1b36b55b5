import type { Source } from './source.ts'

/** Loudness that every track is brought to, LUFS: what large services play at. */
const TARGET_LUFS = -14

/** Highest true peak allowed, dBTP (EBU R 128 §g): encoders overshoot, converters need room. */
const CEILING_DBTP = -1

/** A limiter works on samples; true peaks between them rise higher. */
const LIMITER_MARGIN_DB = 0.5

/** Nothing is raised more than this: beyond it one would hear the recorder, not the music. */
const MAX_GAIN_DB = 30

/** At or below this the meter heard nothing (EBU R128's absolute gate). */
const SILENCE_LUFS = -70

/** A lossy source can feed renditions of up to so many times its own bitrate. */
const LOSSY_HEADROOM = 3

/** Samples that ffmpeg's AAC encoder puts in front of the sound: one frame. */
const PRIMING_SAMPLES = 1024

export type RenditionPlan = {
  /** Folder name: `128k`. */
  name: string
  /** Bits per second. */
  bitrate: number
  coder: 'twoloop' | 'fast'
}

export type Plan = {
  /** Hz of all renditions. */
  sampleRate: number
  primingSamples: number
  gainDb: number
  /** Whether peaks must be held down. */
  limited: boolean
  /** Where the limiter holds them, dBFS. */
  ceilingDb: number
  renditions: RenditionPlan[]
}

export type Loudness = {
  /** Integrated, LUFS (EBU R128). */
  integratedLufs: number
  /** dBTP; null for digital silence. */
  truePeakDbtp: number | null
}

/** Decides how a source is encoded. */
export function makePlan(source: Source, loudness: Loudness, ladder: readonly number[]): Plan {
  const sampleRate = source.sampleRate === 48_000 ? 48_000 : 44_100
  const gainDb = chooseGain(loudness)
  // A mono source goes to both sides 3 dB lower each, which is as loud and peaks lower.
  const peak = (loudness.truePeakDbtp ?? -Infinity) - (source.channels === 1 ? 3.01 : 0)
  return {
    sampleRate,
    primingSamples: PRIMING_SAMPLES,
    gainDb,
    limited: peak + gainDb > CEILING_DBTP,
    ceilingDb: CEILING_DBTP - LIMITER_MARGIN_DB,
    renditions: chooseRenditions(source, ladder),
  }
}

/** The linear gain that brings a source to the target, dB, to a hundredth. */
function chooseGain({ integratedLufs }: Loudness): number {
  if (integratedLufs <= SILENCE_LUFS) return 0
  return Math.round(Math.min(MAX_GAIN_DB, TARGET_LUFS - integratedLufs) * 100) / 100
}

/** The rungs that the source can feed; always the lowest, so that everything plays. */
function chooseRenditions(source: Source, ladder: readonly number[]): RenditionPlan[] {
  const rungs = [...ladder].sort((a, b) => a - b)
  const most = source.lossy && source.bitrate !== null ? source.bitrate * LOSSY_HEADROOM : Infinity
  return rungs
    .filter((bitrate, index) => index === 0 || bitrate <= most)
    .map((bitrate) => ({
      name: `${Math.round(bitrate / 1000)}k`,
      bitrate,
      // The fast coder takes half the time and measured at least as well from 128 kbit/s on; at 64
      // the two-loop search is audibly better.
      coder: bitrate >= 96_000 ? 'fast' : 'twoloop',
    }))
}
