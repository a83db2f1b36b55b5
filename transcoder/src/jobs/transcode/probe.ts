import { z } from 'zod'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import { FfmpegFailed } from '../../platform/ffmpeg/index.ts'
import { UnplayableSource } from './failures.ts'
import { probeOptions } from './ffmpeg-args.ts'
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
  disposition: z.object({ attached_pic: z.int().optional() }).optional(),
  tags: z.record(z.string(), z.string()).optional(),
})

const ProbeAnswer = z.object({
  streams: z.array(Stream).default([]),
  format: z.object({
    duration: number,
    bit_rate: number,
    tags: z.record(z.string(), z.string()).optional(),
  }),
})

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
    .probe(folder, file, probeOptions(format), signal)
    .catch((error: unknown) => {
      if (error instanceof FfmpegFailed) throw unreadable(format, error.log)
      throw error
    })
  const answer = ProbeAnswer.parse(JSON.parse(json))
  const audio = answer.streams.find((stream) => stream.codec_type === 'audio')
  if (audio === undefined) {
    throw new UnplayableSource(
      'no-audio-stream',
      'The file has no sound in it, only pictures or data. Upload the audio.',
    )
  }
  const codec = audio.codec_name ?? 'unknown'
  const { channels = 0, sample_rate: sampleRate = 0 } = audio
  if (channels === 0 || sampleRate === 0) throw undecodable(format, codec)
  refuseBeyond(limits, channels, sampleRate)
  const declared = audio.duration ?? answer.format.duration
  const declaredS = declared === undefined || log.includes(GUESSED) ? null : declared
  if (declaredS !== null) refuseLength(limits, declaredS)
  return {
    format,
    codec,
    lossy: !LOSSLESS.test(codec),
    channels,
    sampleRate,
    bitrate: audio.bit_rate ?? answer.format.bit_rate ?? null,
    declaredS,
    coverStream:
      answer.streams.find((stream) => stream.disposition?.attached_pic === 1)?.index ?? null,
    rawTags: new Map(
      // A file's own tags are better than those of a stream in it, where both have one.
      [...Object.entries(audio.tags ?? {}), ...Object.entries(answer.format.tags ?? {})].map(
        ([name, value]) => [name.toLowerCase(), value],
      ),
    ),
  }
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
  const forbidden = /Codec \((\w+)\) not on whitelist/.exec(log)?.[1]
  if (forbidden !== undefined) return undecodable(format, forbidden)
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
