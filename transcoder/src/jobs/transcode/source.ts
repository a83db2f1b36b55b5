import type { SourceFormat } from './source-format.ts'

/** What a recording may be at most, and at least. */
export type SourceLimits = {
  maxDurationS: number
  minDurationS: number
  maxChannels: number
  maxSampleRate: number
}

/** What the file says about itself. */
export type Source = {
  format: SourceFormat
  codec: string
  /** Index of the stream that becomes the track. */
  audioStream: number
  lossy: boolean
  channels: number
  /** Hz */
  sampleRate: number
  /** Of a lossless source; null where unknown. */
  bitsPerSample: number | null
  /** Bits per second of the audio stream; null where unknown. */
  bitrate: number | null
  /** Seconds that the container declares; null where it's only a guess. */
  declaredS: number | null
}
