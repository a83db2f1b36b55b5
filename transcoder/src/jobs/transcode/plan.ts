import { MAX_GAIN_DB, TARGET_LUFS } from '@mist/db/contract'
import type { Source } from './source.ts'

/**
 * Where the limiter holds samples, dBFS, so that no decoded rendition clips: the encoder adds up to
 * 1.1 dB from 96 kbit/s on and up to 3.3 dB below (`npm run bench:peaks`, seven tracks).
 */
const CEILING_HIGH_RATE_DBFS = -1.5
const CEILING_LOW_RATE_DBFS = -4

/**
 * A source whose highest sample comes this near to a ceiling gets the limiter, for resampling can
 * raise it. The limiter lets pass what stays below, so one too many costs a little time only; for
 * the same reason a true peak, which costs as much as the rest of the analysis, would change not a
 * sample.
 */
const NEAR_DB = 1

/** At or below this the meter heard nothing (EBU R128's absolute gate). */
const SILENCE_LUFS = -70

/** A lossy source can feed renditions of up to so many times its own bitrate. */
const LOSSY_HEADROOM = 3

/** Samples that ffmpeg's AAC encoder puts in front of the sound: one frame. */
const PRIMING_SAMPLES = 1024

/** Settings of ffmpeg's AAC encoder. */
type Coder = {
  search: 'twoloop' | 'fast'
  /** One signal for both channels in the upper bands. */
  intensityStereo: boolean
  temporalNoiseShaping: boolean
}

/**
 * The cheapest coder that `npm run bench:coders` measures as good as the default settings or nearly
 * so. Intensity stereo costs the fast search more than it saves. At the low bitrates the two-loop
 * search is worth its time; temporal noise shaping only costs some.
 */
const LOW_RATE: Coder = { search: 'twoloop', intensityStereo: true, temporalNoiseShaping: false }
const HIGH_RATE: Coder = { search: 'fast', intensityStereo: false, temporalNoiseShaping: true }

/** Bits per second from which on a rung counts as high. */
const HIGH_FROM = 96_000

export type RenditionPlan = {
  /** Folder name: `128k`. */
  name: string
  /** Bits per second. */
  bitrate: number
  coder: Coder
  /** Where the limiter holds its samples, dBFS; null where none come near. */
  ceilingDb: number | null
}

export type Plan = {
  /** Hz of all renditions. */
  sampleRate: number
  primingSamples: number
  gainDb: number
  renditions: RenditionPlan[]
}

export type Loudness = {
  /** Integrated, LUFS (EBU R128). */
  integratedLufs: number
  /** Highest sample, dBFS; null for digital silence. */
  samplePeakDbfs: number | null
}

/** Hz of the renditions of a source. */
export function renditionRate({ sampleRate }: Pick<Source, 'sampleRate'>): number {
  return sampleRate === 48_000 ? 48_000 : 44_100
}

/** Decides how a source is encoded. */
export function makePlan(source: Source, loudness: Loudness, ladder: readonly number[]): Plan {
  const sampleRate = renditionRate(source)
  const gainDb = chooseGain(loudness)
  // A mono source goes to both sides 3 dB lower each, which is as loud and peaks lower.
  const peak = (loudness.samplePeakDbfs ?? -Infinity) - (source.channels === 1 ? 3.01 : 0)
  return {
    sampleRate,
    primingSamples: PRIMING_SAMPLES,
    gainDb,
    renditions: chooseRungs(source, ladder).map((bitrate) => planRendition(bitrate, peak + gainDb)),
  }
}

/** The linear gain that brings a source to the target, dB, to a hundredth. */
function chooseGain({ integratedLufs }: Loudness): number {
  if (integratedLufs <= SILENCE_LUFS) return 0
  return Math.round(Math.min(MAX_GAIN_DB, TARGET_LUFS - integratedLufs) * 100) / 100
}

/** The rungs that the source can feed; always the lowest, so that everything plays. */
function chooseRungs(source: Source, ladder: readonly number[]): number[] {
  const rungs = [...ladder].sort((a, b) => a - b)
  const most = source.lossy && source.bitrate !== null ? source.bitrate * LOSSY_HEADROOM : Infinity
  return rungs.filter((bitrate, index) => index === 0 || bitrate <= most)
}

function planRendition(bitrate: number, peakDb: number): RenditionPlan {
  const isHigh = bitrate >= HIGH_FROM
  const ceilingDb = isHigh ? CEILING_HIGH_RATE_DBFS : CEILING_LOW_RATE_DBFS
  return {
    name: `${Math.round(bitrate / 1000)}k`,
    bitrate,
    coder: isHigh ? HIGH_RATE : LOW_RATE,
    ceilingDb: peakDb > ceilingDb - NEAR_DB ? ceilingDb : null,
  }
}
