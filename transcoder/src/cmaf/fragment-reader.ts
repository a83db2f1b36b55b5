import { boxesIn, findBox } from './boxes.ts'

/** One coded AAC frame. */
export type AacFrame = {
  bytes: Uint8Array
  /** Samples it stands for: 1024, fewer in the frame that ends a track. */
  samples: number
}

type Run = { track: number; frames: { size: number; samples: number }[] }

/**
 * Reads AAC frames out of the fragmented MP4 that ffmpeg writes to its standard output: one stream
 * carries all renditions, each fragment one track's (`separate_moof`).
 *
 * Feed it chunks of any size; it hands on whole frames in order and keeps no more than a fragment.
 */
export function makeFragmentReader(onFrame: (track: number, frame: AacFrame) => void) {
  let held: Buffer[] = []
  let heldBytes = 0
  let wanted = 8
  let run: Run | null = null

  function take(type: string, content: Buffer): void {
    if (type === 'moof') run = readRun(content)
    if (type !== 'mdat' || run === null) return
    let at = 0
    for (const { size, samples } of run.frames) {
      onFrame(run.track, { bytes: content.subarray(at, at + size), samples })
      at += size
    }
    if (at !== content.length) throw new RangeError('a fragment does not hold what it lists')
    run = null
  }

  return {
    push(chunk: Buffer): void {
      held.push(chunk)
      heldBytes += chunk.length
      if (heldBytes < wanted) return
      const bytes = held.length === 1 ? held[0]! : Buffer.concat(held, heldBytes)
      let at = 0
      wanted = 8
      while (at + 8 <= bytes.length) {
        const size = bytes.readUInt32BE(at)
        if (size < 8) throw new RangeError('a box of no known length')
        if (at + size > bytes.length) {
          wanted = size
          break
        }
        take(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, at + size))
        at += size
      }
      held = [bytes.subarray(at)]
      heldBytes = bytes.length - at
    },
    /** @throws RangeError when the stream broke off inside a box */
    end(): void {
      if (heldBytes > 0 || run !== null) throw new RangeError('the encoder broke off in a fragment')
    },
  }
}

/** Reads track, sizes and durations of a `moof` (ISO/IEC 14496-12 §8.8). */
function readRun(moof: Buffer): Run {
  const traf = findBox(moof, 'traf')
  if (traf === null) throw new RangeError('a fragment without a track')
  const run: Run = { track: 0, frames: [] }
  let defaultDuration = 0
  let defaultSize = 0
  for (const { type, content } of boxesIn(traf)) {
    const flags = content.readUInt32BE(0) & 0xff_ffff
    let at = 4
    const next = () => {
      at += 4
      return content.readUInt32BE(at - 4)
    }
    if (type === 'tfhd') {
      run.track = next()
      if (flags & 0x1) at += 8
      if (flags & 0x2) at += 4
      if (flags & 0x8) defaultDuration = next()
      if (flags & 0x10) defaultSize = next()
    }
    if (type === 'trun') {
      const count = next()
      if (flags & 0x1) at += 4
      if (flags & 0x4) at += 4
      for (let i = 0; i < count; i++) {
        const samples = flags & 0x100 ? next() : defaultDuration
        const size = flags & 0x200 ? next() : defaultSize
        if (flags & 0x400) at += 4
        if (flags & 0x800) at += 4
        run.frames.push({ size, samples })
      }
    }
  }
  return run
}
