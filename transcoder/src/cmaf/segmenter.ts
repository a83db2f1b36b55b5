import { segmentStartFrame } from '@mist/db/contract'
import type { AacFrame } from './fragment-reader.ts'
import { writeMediaSegment } from './media-segment.ts'

/** A whole segment in the clear. */
export type Segment = {
  /** Zero-based. */
  index: number
  bytes: Buffer
  /** Samples it holds, priming counted. */
  samples: number
}

/**
 * Cuts a rendition's frames into segments on the four-second grid of the contract. As the frames of
 * all renditions start at the same instants, so do their segments.
 *
 * @param sampleRate Hz
 */
export function makeSegmenter(sampleRate: number) {
  let frames: AacFrame[] = []
  let index = 0
  let framesBefore = 0
  let samplesBefore = 0

  function cut(): Segment {
    const samples = sum(frames)
    const segment = { index, bytes: writeMediaSegment(index, samplesBefore, frames), samples }
    framesBefore += frames.length
    samplesBefore += samples
    frames = []
    index++
    return segment
  }

  return {
    /** Answers a segment when this frame completes one. */
    push(frame: AacFrame): Segment | null {
      frames.push(frame)
      return framesBefore + frames.length === segmentStartFrame(sampleRate, index + 1)
        ? cut()
        : null
    },
    /** Answers what is left. */
    finish: (): Segment | null => (frames.length > 0 ? cut() : null),
    /** Frames so far. */
    frames: () => framesBefore + frames.length,
    /** Samples so far, priming counted. */
    samples: () => samplesBefore + sum(frames),
  }
}

const sum = (frames: readonly AacFrame[]) =>
  frames.reduce((total, frame) => total + frame.samples, 0)
