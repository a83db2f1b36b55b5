import {
  AAC_FRAME_SAMPLES,
  LEAST_LAST_SEGMENT_MS,
  type MediaTiming,
  segmentCount,
  segmentStartFrame,
} from '@mist/db/contract'
import type { AacFrame } from './fragment-reader.ts'
import { writeMediaSegment } from './media-segment.ts'

/** A whole segment in the clear. */
export type Segment = {
  /** Zero-based. */
  index: number
  bytes: Buffer
  /** Samples it holds, priming counted. */
  samples: number
  /** Bytes of each of its frames, which are all that follows its header. */
  frameSizes: number[]
}

/**
 * Cuts a rendition's frames into segments on the four-second grid of the contract. As the frames of
 * all renditions start at the same instants, so do their segments.
 */
export function makeSegmenter({
  sampleRate,
  primingSamples,
}: Pick<MediaTiming, 'sampleRate' | 'primingSamples'>) {
  /**
   * Whole frames beyond the end of a segment after which it is certain that another follows it: the
   * encoder's delay and the shortest last segment, rounding included.
   */
  const framesKept = Math.ceil(
    (primingSamples + ((LEAST_LAST_SEGMENT_MS + 1) * sampleRate) / 1000) / AAC_FRAME_SAMPLES,
  )
  let frames: AacFrame[] = []
  let index = 0
  let framesBefore = 0
  let samplesBefore = 0

  /** Takes the frames before frame `end` of the stream. */
  function cutBefore(end: number): Segment {
    const taken = frames.splice(0, end - framesBefore)
    const samples = sum(taken)
    const bytes = writeMediaSegment(index, samplesBefore, taken)
    const frameSizes = taken.map((frame) => frame.bytes.length)
    const segment = { index, bytes, samples, frameSizes }
    framesBefore += taken.length
    samplesBefore += samples
    index++
    return segment
  }

  const nextStart = () => segmentStartFrame(sampleRate, index + 1)
  const samples = () => samplesBefore + sum(frames)

  return {
    /** Answers a segment when this frame makes certain that it is not the last. */
    push(frame: AacFrame): Segment | null {
      frames.push(frame)
      // Only the frame that ends a track is shorter, and may be the one that decides.
      const whole = framesBefore + frames.length - (frame.samples < AAC_FRAME_SAMPLES ? 1 : 0)
      return whole >= nextStart() + framesKept ? cutBefore(nextStart()) : null
    },
    /** Answers what is left: the last segment, and perhaps the one before it. */
    finish(): Segment[] {
      const timing = { sampleRate, primingSamples, sampleCount: samples() - primingSamples }
      const rest: Segment[] = []
      while (index < segmentCount(timing) - 1) rest.push(cutBefore(nextStart()))
      if (frames.length > 0) rest.push(cutBefore(framesBefore + frames.length))
      return rest
    },
    /** Frames so far. */
    frames: () => framesBefore + frames.length,
    /** Samples so far, priming counted. */
    samples,
  }
}

const sum = (frames: readonly AacFrame[]) =>
  frames.reduce((total, frame) => total + frame.samples, 0)
