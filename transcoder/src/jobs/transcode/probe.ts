import { z } from 'zod'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import { FfmpegFailed, OutputTooLong } from '../../platform/ffmpeg/index.ts'
import { OutOfTime, UnplayableSource } from './failures.ts'
import { DECODED_CODECS, probeOptions } from './ffmpeg-args.ts'
import type { Source, SourceLimits } from './source.ts'
import type { SourceFormat } from './source-format.ts'

const number = z.coerce.number().nonnegative().optional().catch(undefined)

const Stream = z.object({
  index: z.int(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  sample_rate: number,
  channels: number,
  bit_rate: number,
  duration: number,
  bits_per_raw_sample: number,
  disposition: z.object({ default: z.int().optional() }).optional(),
})

const ProbeAnswer = z.object({
  streams: z.array(Stream).default([]),
  format: z.object({
    duration: number,
    bit_rate: number,
  }),
})

type ProbedStream = z.infer<typeof Stream>

/** What ffprobe is asked for: all that it knows of a file can be megabytes, and tags are read elsewhere. */
const ENTRIES =
  'stream=index,codec_type,codec_name,sample_rate,channels,bit_rate,bits_per_raw_sample,duration' +
  ':stream_disposition=default:format=duration,bit_rate'

const LOSSLESS = /^(flac|alac|pcm_)/

/** ffprobe says so when a length is computed from the first frames' bitrate. */
const GUESSED = 'Estimating duration from bitrate'

/**
 * Reads what a file says about itself and refuses what can't or mustn't become a track.
 *
 * @throws UnplayableSource with the reason
 */
export async function probe(options: {
  ffmpeg: Ffmpeg
  folder: string
  file: string
  format: SourceFormat
  limits: SourceLimits
  signal: AbortSignal
}): Promise<Source> {
  const { ffmpeg, folder, file, format, limits, signal } = options
  const { json, log } = await ffmpeg
    .probe({ folder, input: file, inputOptions: probeOptions(format), signal }, ENTRIES)
    .catch((error: unknown) => {
      throw refusalOf(error, format)
    })
  const answer = ProbeAnswer.parse(JSON.parse(json))
  const audio = chooseAudio(answer.streams, format)
  const codec = audio.codec_name ?? 'unknown'
  const { channels = 0, sample_rate: sampleRate = 0 } = audio
  refuseBeyond(limits, channels, sampleRate)
  const declared = audio.duration ?? answer.format.duration
  const declaredS = declared === undefined || log.includes(GUESSED) ? null : declared
  if (declaredS !== null) refuseLength(limits, declaredS)
  return {
    format,
    codec,
    audioStream: audio.index,
    bitsPerSample: audio.bits_per_raw_sample ?? null,
    lossy: !LOSSLESS.test(codec),
    channels,
    sampleRate,
    bitrate: audio.bit_rate ?? answer.format.bit_rate ?? null,
    declaredS,
  }
}

/**
 * Chooses the stream that becomes the track: of those with sound that we decode the default one, or the
 * first. What else the file holds (other languages, subtitles, pictures, data) is nobody's business.
 */
function chooseAudio(streams: readonly ProbedStream[], format: SourceFormat): ProbedStream {
  const audio = streams.filter((stream) => stream.codec_type === 'audio')
  const [first] = audio
  if (first === undefined) {
    throw new UnplayableSource(
      'no-audio-stream',
      'The file has no sound in it, only pictures or data. Upload the audio.',
    )
  }
  const decoded = audio.filter(
    ({ codec_name: codec, channels = 0, sample_rate: sampleRate = 0 }) =>
      codec !== undefined && DECODED_CODECS.has(codec) && channels > 0 && sampleRate > 0,
  )
  const chosen = decoded.find((stream) => stream.disposition?.default === 1) ?? decoded[0]
  if (chosen === undefined) throw undecodable(format, first.codec_name ?? 'unknown')
  return chosen
}

/** What it means for the job that ffprobe did not answer; the machine's troubles stay what they are. */
function refusalOf(error: unknown, format: SourceFormat): unknown {
  if (error instanceof FfmpegFailed && !error.isMachineTrouble) return unreadable(format, error.log)
  if (error instanceof OutOfTime) {
    return new UnplayableSource(
      'timed-out',
      `The ${format.name} file is built in a way that takes too long to read. Encode it anew.`,
    )
  }
  if (error instanceof OutputTooLong) {
    return new UnplayableSource(
      'unsupported-format',
      `The ${format.name} file has more streams in it than we read. Upload the audio alone.`,
    )
  }
  return error
}

/** @throws UnplayableSource `too-long`, `too-short` */
export function refuseLength(limits: SourceLimits, seconds: number): void {
  if (seconds > limits.maxDurationS) {
    throw new UnplayableSource(
      'too-long',
      `The recording is longer than the limit of ${describeSeconds(limits.maxDurationS)}. Split it.`,
    )
  }
  if (seconds < limits.minDurationS) {
    throw new UnplayableSource(
      'too-short',
      `The recording is shorter than ${limits.minDurationS} seconds.`,
    )
  }
}

/** `5 h 30 min`, `90 min`, `20 s`. */
function describeSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  if (minutes === 0) return `${Math.round(seconds)} s`
  if (minutes < 120) return `${minutes} min`
  return minutes % 60 === 0
    ? `${minutes / 60} h`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

function refuseBeyond(limits: SourceLimits, channels: number, sampleRate: number): void {
  if (channels > limits.maxChannels) {
    throw new UnplayableSource(
      'too-many-channels',
      `The recording has ${channels} channels; the limit is ${limits.maxChannels}. Mix it down.`,
    )
  }
  if (sampleRate > limits.maxSampleRate) {
    throw new UnplayableSource(
      'unsupported-format',
      `The sample rate of ${sampleRate} Hz is above the limit of ${limits.maxSampleRate} Hz.`,
    )
  }
}

function unreadable(format: SourceFormat, log: string): UnplayableSource {
  // An MP4 whose index is missing was cut off while it was written or sent.
  return /moov atom not found|partial file|truncated/i.test(log)
    ? new UnplayableSource(
        'truncated',
        `The ${format.name} file is cut off: its index is missing. Upload the whole file.`,
      )
    : new UnplayableSource(
        'not-audio',
        `The file begins like ${format.name}, but cannot be read as such. It may be damaged.`,
      )
}

function undecodable(format: SourceFormat, codec: string): UnplayableSource {
  return new UnplayableSource(
    'unsupported-format',
    `The ${format.name} file holds sound in a format that we don't decode (${codec}).`,
  )
}
