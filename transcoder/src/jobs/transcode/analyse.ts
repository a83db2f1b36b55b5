import { ANALYSIS_RATE_HZ, makeAnalyser, type Analysis } from '../../audio/analyser.ts'
import { FfmpegFailed, type Ffmpeg } from '../../platform/ffmpeg/index.ts'
import { UnplayableSource } from './failures.ts'
import { analyseOptions, inputOptions } from './ffmpeg-args.ts'
import type { Loudness } from './plan.ts'
import { refuseLength } from './probe.ts'
import type { Source, SourceLimits } from './source.ts'

export type Heard = Analysis & { loudness: Loudness }

/**
 * A file that yields this much less than it declares is cut off. Encoder delay and padding, which
 * decoders skip, stay well below.
 */
const MISSING_S = 0.5

/**
 * Decodes a source once and measures everything: loudness, sample peak, features, embedding, waveform.
 *
 * @param onProgress how far, 0…1, where the length is known
 * @throws UnplayableSource `truncated`, `too-long`, `too-short`, `not-audio`
 */
export async function analyse(options: {
  ffmpeg: Ffmpeg
  folder: string
  file: string
  source: Source
  limits: SourceLimits
  signal: AbortSignal
  onProgress: (share: number) => void
}): Promise<Heard> {
  const { ffmpeg, folder, file, source, limits, signal, onProgress } = options
  const analyser = makeAnalyser()
  const floats = makeFloatReader()
  let samples = 0
  const log = await ffmpeg
    .stream(
      {
        folder,
        input: file,
        inputOptions: inputOptions(source.format),
        outputOptions: analyseOptions(source),
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
      if (error instanceof FfmpegFailed && samples === 0) throw undecodable(source)
      throw error
    })
  const seconds = samples / ANALYSIS_RATE_HZ
  if (samples === 0) throw undecodable(source)
  if (source.declaredS !== null && seconds < source.declaredS - MISSING_S) {
    throw new UnplayableSource(
      'truncated',
      `The file is cut off: it should last ${clock(source.declaredS)} but ends after ` +
        `${clock(seconds)}. Upload the whole file.`,
    )
  }
  refuseLength(limits, seconds)
  return { ...analyser.finish(), loudness: readLoudness(log) }
}

function undecodable(source: Source): UnplayableSource {
  return new UnplayableSource(
    'not-audio',
    `The file begins like ${source.format.name}, but no sound can be decoded from it.`,
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
