import { AAC_FRAME_SAMPLES } from '@mist/db/contract'
import { box, fullBox, uint } from './boxes.ts'
import type { AacFrame } from './fragment-reader.ts'

const DEFAULT_BASE_IS_MOOF = 0x2_0000
const DATA_OFFSET_PRESENT = 0x1
const SAMPLE_DURATION_PRESENT = 0x100
const SAMPLE_SIZE_PRESENT = 0x200

/**
 * Writes one CMAF media segment: a `moof` and its `mdat`.
 *
 * @param index zero-based number of the segment
 * @param startSample decode time of the first frame in samples, priming counted
 */
export function writeMediaSegment(
  index: number,
  startSample: number,
  frames: readonly AacFrame[],
): Buffer {
  // Only the frame that ends a track is shorter: durations are written where there is one.
  const timed = frames.some((frame) => frame.samples !== AAC_FRAME_SAMPLES)
  const flags = DATA_OFFSET_PRESENT | SAMPLE_SIZE_PRESENT | (timed ? SAMPLE_DURATION_PRESENT : 0)
  const table = Buffer.alloc(frames.length * (timed ? 8 : 4))
  let at = 0
  for (const frame of frames) {
    if (timed) at = table.writeUInt32BE(frame.samples, at)
    at = table.writeUInt32BE(frame.bytes.length, at)
  }
  const movieFragment = (dataOffset: number) =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, uint(4, index + 1)),
      box(
        'traf',
        fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, uint(4, 1)),
        fullBox('tfdt', 1, 0, uint(8, startSample)),
        fullBox('trun', 0, flags, uint(4, frames.length), uint(4, dataOffset), table),
      ),
    )
  // The offset to the first frame counts from the start of the moof, over the header of the mdat.
  const moof = movieFragment(movieFragment(0).length + 8)
  return Buffer.concat([moof, box('mdat', ...frames.map((frame) => frame.bytes))])
}
