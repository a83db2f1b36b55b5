import { randomBytes } from 'node:crypto'
import {
  AAC_FRAME_SAMPLES,
  initKey,
  type RenditionLayout,
  segmentKey,
  type TrackId,
} from '@mist/db/contract'
import { makeFragmentReader } from '../../cmaf/fragment-reader.ts'
import { writeInitSegment } from '../../cmaf/init-segment.ts'
import { makeSegmenter, type Segment } from '../../cmaf/segmenter.ts'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import { makeBandwidth } from './bandwidth.ts'
import { makeSegmentCipher } from './encrypt.ts'
import { UnplayableSource } from './failures.ts'
import { encodeOptions, inputOptions, steadyDecoding } from './ffmpeg-args.ts'
import type { Plan, RenditionPlan } from './plan.ts'
import type { Source } from './source.ts'
import type { makeUploads } from './store.ts'

export type StoredRendition = {
  name: string
  bitrate: number
  peakBandwidth: number
  averageBandwidth: number
  codecs: string
  init: Uint8Array
  ivSeed: Uint8Array
  layout: RenditionLayout
}

export type Encoded = {
  renditions: StoredRendition[]
  /** Samples of sound, at the plan's rate. */
  sampleCount: number
  paddingSamples: number
  /** When the encoder had ended, by `performance.now()`. */
  encodedAt: number
}

/**
 * Encodes all renditions in one ffmpeg process and cuts, encrypts and stores their segments as they
 * come. Nothing is written to disk, and no more than a few segments are in memory.
 */
export async function encode(options: {
  ffmpeg: Ffmpeg
  folder: string
  file: string
  source: Source
  /** What was measured of it: seconds, and whether rate and channels are the same throughout. */
  heard: { durationS: number; isSteady: boolean }
  plan: Plan
  trackId: TrackId
  version: number
  masterKey: Uint8Array<ArrayBuffer>
  /** Segments that share a key. */
  segmentsPerPeriod: number
  uploads: ReturnType<typeof makeUploads>
  signal: AbortSignal
  /** Seconds encoded so far. */
  onProgress: (seconds: number) => void
}): Promise<Encoded> {
  const { source, heard, plan, trackId, version, uploads } = options
  const cipher = makeSegmentCipher(options)
  const tracks = plan.renditions.map((rendition) => ({
    rendition,
    ivSeed: randomBytes(16),
    segmenter: makeSegmenter(plan),
    bandwidth: makeBandwidth(plan.sampleRate),
    layout: { frameSizes: [] as number[], headerSizes: [] as number[] },
  }))
  type Track = (typeof tracks)[number]
  const cut: { track: Track; segment: Segment }[] = []

  async function storeCut(): Promise<void> {
    for (const { track, segment } of cut.splice(0)) {
      const sealed = await cipher.encrypt(track.ivSeed, segment.index, segment.bytes)
      track.bandwidth.add(sealed.length, segment.samples)
      addSegment(track.layout, segment)
      const key = segmentKey(trackId, version, track.rendition.name, segment.index)
      await uploads.add(key, sealed, 'application/octet-stream')
    }
    options.onProgress(tracks[0]!.segmenter.samples() / plan.sampleRate)
  }

  // ffmpeg numbers the tracks from 1, in the ladder's order.
  const reader = makeFragmentReader((number, frame) => {
    const track = tracks[number - 1]
    if (track === undefined) throw new RangeError(`ffmpeg made a track ${number} too many`)
    const segment = track.segmenter.push(frame)
    if (segment !== null) cut.push({ track, segment })
  })
  await options.ffmpeg.stream(
    {
      folder: options.folder,
      input: options.file,
      inputOptions: inputOptions(source.format),
      outputOptions: encodeOptions(plan, { ...source, ...heard }),
      ...(heard.isSteady ? {} : { decodedBy: steadyDecoding(source.audioStream, plan.sampleRate) }),
      signal: options.signal,
    },
    (chunk) => {
      reader.push(chunk)
      return cut.length > 0 ? storeCut() : undefined
    },
  )
  reader.end()
  const encodedAt = performance.now()
  for (const track of tracks) {
    cut.push(...track.segmenter.finish().map((segment) => ({ track, segment })))
  }
  await storeCut()

  const timing = measureTiming(
    tracks.map(({ segmenter }) => ({ samples: segmenter.samples(), frames: segmenter.frames() })),
    plan,
  )
  refuseDifference(heard.durationS, timing.sampleCount / plan.sampleRate)
  const renditions = tracks.map(({ rendition, ivSeed, bandwidth, layout }) => ({
    name: rendition.name,
    bitrate: rendition.bitrate,
    ...bandwidth.finish(),
    codecs: 'mp4a.40.2',
    init: initOf(rendition, plan, timing),
    ivSeed: new Uint8Array(ivSeed),
    layout,
  }))
  for (const { name, init } of renditions) {
    await uploads.add(initKey(trackId, version, name), init, 'video/mp4')
  }
  return { renditions, ...timing, encodedAt }
}

/** Two decodes of one file may differ by what resamplers hold back, not by more. Seconds. */
const MOST_DIFFERENCE_S = 0.1

/** @throws UnplayableSource `unsupported-format`: what would be published is not what was heard */
function refuseDifference(heardS: number, encodedS: number): void {
  if (Math.abs(heardS - encodedS) <= MOST_DIFFERENCE_S) return
  throw new UnplayableSource(
    'unsupported-format',
    `Of ${heardS.toFixed(1)} s that were heard ${encodedS.toFixed(1)} s could be encoded: the sound changes ` +
      'its format in the middle. Encode the file anew.',
  )
}

/** Notes where a segment's frames are. */
function addSegment(
  layout: { frameSizes: number[]; headerSizes: number[] },
  { bytes, frameSizes }: Segment,
): void {
  layout.headerSizes.push(bytes.length - frameSizes.reduce((sum, size) => sum + size, 0))
  layout.frameSizes.push(...frameSizes)
}

function initOf(
  rendition: RenditionPlan,
  plan: Plan,
  timing: { sampleCount: number; paddingSamples: number },
): Uint8Array {
  return new Uint8Array(
    writeInitSegment({
      sampleRate: plan.sampleRate,
      channels: 2,
      bitrate: rendition.bitrate,
      primingSamples: plan.primingSamples,
      ...timing,
    }),
  )
}

/** The encoder shortens its last frame to what it really holds, so durations add up to the sound. */
function measureTiming(
  tracks: readonly { samples: number; frames: number }[],
  plan: Plan,
): { sampleCount: number; paddingSamples: number } {
  const [first] = tracks
  if (first === undefined || tracks.some((track) => track.samples !== first.samples)) {
    throw new Error('the renditions are not of the same length')
  }
  return {
    sampleCount: first.samples - plan.primingSamples,
    paddingSamples: first.frames * AAC_FRAME_SAMPLES - first.samples,
  }
}
