import { ANALYSIS_RATE_HZ, makeAnalyser, type Analysis } from '../../audio/analyser.ts'
import { FfmpegFailed, type Ffmpeg } from '../../platform/ffmpeg/index.ts'
import { UnplayableSource } from './failures.ts'
import { analyseOptions, inputOptions, steadyDecoding } from './ffmpeg-args.ts'
import { type FrameWalk, missingSeconds } from './frame-walk.ts'
import { type Loudness, renditionRate } from './plan.ts'
import { refuseLength } from './probe.ts'
import type { Source, SourceLimits } from './source.ts'

export type Heard = Analysis & {
  loudness: Loudness
  /** Whether rate and channels are the same from start to end. */
  isSteady: boolean
}

/**
 * A file that yields this much less than it declares is cut off. Encoder delay and padding, which
 * decoders skip, stay well below.
 */
const MISSING_S = 0.5

type AnalyseOptions = {
  ffmpeg: Ffmpeg
  folder: string
  file: string
  source: Source
  /** What a file without an index consists of. */
  walk: FrameWalk | null
  limits: SourceLimits
  signal: AbortSignal
  /** How far, 0…1, where the length is known. */
  onProgress: (share: number) => void
}

/**
 * Decodes a source and measures everything: loudness, sample peak, features, embedding, waveform. Once,
 * unless its rate or channels change in the middle.
 *
 * @throws UnplayableSource `truncated`, `too-long`, `too-short`, `not-audio`, `unsupported-format`
 */
export async function analyse(options: AnalyseOptions): Promise<Heard> {
  const steady = await listen(options, true)
  if (!hasChanged(steady.log)) return steady.heard()
  return (await listen(options, false)).heard()
}

async function listen(
  { ffmpeg, folder, file, source, walk, limits, signal, onProgress }: AnalyseOptions,
  isSteady: boolean,
): Promise<{ log: string; heard: () => Heard }> {
  const analyser = makeAnalyser()
  const floats = makeFloatReader()
  let samples = 0
  const log = await ffmpeg
    .stream(
      {
        folder,
        input: file,
        inputOptions: inputOptions(source.format),
        outputOptions: analyseOptions({ ...source, isSteady }),
        ...(isSteady
          ? {}
          : { decodedBy: steadyDecoding(source.audioStream, renditionRate(source)) }),
        signal,
      },
      (chunk) => {
        const heard = floats(chunk)
        samples += heard.length
        const seconds = samples / ANALYSIS_RATE_HZ
        // A header may lie about the length; what comes out doesn't.
        if (seconds > limits.maxDurationS) refuseLength(limits, seconds)
        analyser.push(heard)
        if (source.declaredS !== null) onProgress(Math.min(1, seconds / source.declaredS))
      },
    )
    .catch((error: unknown) => {
      // The same file fails the same way another time, unless the machine was in trouble.
      if (!(error instanceof FfmpegFailed) || error.isMachineTrouble) throw error
      throw samples === 0 ? undecodable(source) : damaged(source, samples / ANALYSIS_RATE_HZ)
    })
  return {
    log,
    heard() {
      if (samples === 0) throw undecodable(source)
      const seconds = samples / ANALYSIS_RATE_HZ
      refuseIncomplete(source, walk, seconds)
      refuseLength(limits, seconds)
      return { ...analyser.finish(), loudness: readLoudness(log), isSteady }
    },
  }
}

/**
 * Whether ffmpeg built its filters anew in the middle. Each ebur128 says what it has measured when it
 * ends; the first to say so was only there to find out what the graph looks like, before the output was
 * opened. Where the log begins after that, there were very many.
 */
export function hasChanged(log: string): boolean {
  const opened = log.lastIndexOf('Output #0')
  return opened < 0 || log.slice(opened).split('Summary:').length > 2
}

/** @throws UnplayableSource `truncated` */
function refuseIncomplete(source: Source, walk: FrameWalk | null, heardS: number): void {
  const { declaredS } = source
  if (declaredS !== null && heardS >= declaredS - MISSING_S) return
  const missingS = walk === null ? 0 : missingSeconds(walk, heardS)
  if (missingS > 0) {
    throw new UnplayableSource(
      'truncated',
      `The file has holes: about ${clock(missingS)} of its sound are missing, and ${clock(heardS)} ` +
        'are left. Upload the whole file.',
    )
  }
  // A header that overstates is wrong about a file whose frames go on, whole, to its end.
  if (declaredS === null || walk?.endsWhole === true) return
  throw new UnplayableSource(
    'truncated',
    `The file is cut off: it should last ${clock(declaredS)} but ends after ${clock(heardS)}. ` +
      'Upload the whole file.',
  )
}

/** Twenty-four bits are what ffmpeg 5.1 decodes of FLAC. */
const MOST_FLAC_BITS = 24

/** Nothing came out: which of the reasons is it? */
function undecodable(source: Source): UnplayableSource {
  const { format, codec, bitsPerSample, declaredS } = source
  if (codec === 'flac' && bitsPerSample !== null && bitsPerSample > MOST_FLAC_BITS) {
    return new UnplayableSource(
      'unsupported-format',
      `The FLAC file has ${bitsPerSample} bits per sample; we decode up to ${MOST_FLAC_BITS}. ` +
        'Convert it to 24 bits.',
    )
  }
  return declaredS === null
    ? new UnplayableSource(
        'not-audio',
        `The file begins like ${format.name}, but no sound can be decoded from it.`,
      )
    : damaged(source, 0)
}

function damaged({ format }: Source, heardS: number): UnplayableSource {
  return new UnplayableSource(
    'truncated',
    `The ${format.name} file is damaged: nothing can be decoded after ${clock(heardS)}. ` +
      'Upload the whole file.',
  )
}

const two = (value: number) => String(value).padStart(2, '0')

/** `3:07` or `1:02:30`. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/**
 * Reads little-endian floats from chunks that may end in the middle of one. What it answers is valid
 * until the next call: one buffer serves all, for at 88 kB per second of audio a new one each time
 * would keep the garbage collector busy.
 */
function makeFloatReader(): (chunk: Buffer) => Float32Array {
  let bytes = new Uint8Array(2 ** 17)
  let rest: Uint8Array = new Uint8Array()
  return (chunk) => {
    const length = rest.length + chunk.length
    if (length > bytes.length) bytes = new Uint8Array(4 * Math.ceil(length / 4))
    // Copied, because a Float32Array must start at a multiple of four.
    bytes.set(rest)
    bytes.set(chunk, rest.length)
    rest = bytes.slice(length - (length % 4), length)
    return new Float32Array(bytes.buffer, 0, Math.floor(length / 4))
  }
}

/** Reads the summary that ffmpeg's ebur128 filter prints at the end. */
export function readLoudness(log: string): Loudness {
  const summary = log.slice(log.lastIndexOf('Summary:'))
  const integrated = /I:\s+(-?[\d.]+|-inf|nan) LUFS/.exec(summary)?.[1]
  if (integrated === undefined) throw new Error('ffmpeg printed no loudness')
  const peak = /Peak:\s+(-?[\d.]+|-inf) dBFS/.exec(summary)?.[1]
  const peakDb = Number(peak)
  return {
    integratedLufs: Number.isFinite(Number(integrated)) ? Number(integrated) : -70,
    samplePeakDbfs: peak !== undefined && Number.isFinite(peakDb) ? peakDb : null,
  }
}
