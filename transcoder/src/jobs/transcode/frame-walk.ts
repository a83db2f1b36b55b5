import { open } from 'node:fs/promises'
import { openWindow } from './file-window.ts'
import { adtsFrameBytes, mpegFrameBytes } from './mpeg-frames.ts'
import { tagBytes, type SourceFormat } from './source-format.ts'

/** What a file of MPEG audio or ADTS frames consists of, from its first frame on. Bytes. */
export type FrameWalk = {
  frameBytes: number
  /** Zeros between frames, where there should be some: a download or a disk lost them. */
  holeBytes: number
  /** All that is neither frame nor tag, holes counted, wherever it is. */
  strayBytes: number
  /** Whether the last frame is whole. */
  endsWhole: boolean
}

/** More than any frame, and two headers. */
const AHEAD_BYTES = 16_384

/** A shorter run of zeros is what an encoder pads with. */
const LEAST_HOLE_BYTES = 1024

/** An ID3v1 tag ends the file. */
const ID3V1_BYTES = 128

/** How much strange there may be before nobody looks on: it is not music any more. */
const MAX_STRAY_BYTES = 256 * 1024 ** 2

/**
 * Walks from frame to frame through a whole MP3 or AAC file, which has no index that would tell what is
 * missing in it.
 *
 * @returns null for other formats and for files without a frame
 */
export async function walkFrames(
  file: string,
  format: SourceFormat,
  signal: AbortSignal,
): Promise<FrameWalk | null> {
  if (format.demuxer !== 'mp3' && format.demuxer !== 'aac') return null
  const frameAt = format.demuxer === 'mp3' ? mpegFrameBytes : adtsFrameBytes
  await using handle = await open(file)
  const window = await openWindow(handle, signal)
  const { size } = window
  const walk: FrameWalk = { frameBytes: 0, holeBytes: 0, strayBytes: 0, endsWhole: true }
  let at = format.skipBytes ?? 0
  let isInStep = false
  /** Zeros since the last frame, which are a hole only if another frame follows. */
  let holeBytes = 0

  while (at < size && walk.strayBytes < MAX_STRAY_BYTES) {
    const bytes = await window.from(at, AHEAD_BYTES)
    const length = frameAt(bytes, 0)
    if (length > 0 && (isInStep || isFollowed(bytes, length, size - at))) {
      walk.endsWhole = at + length <= size
      if (!walk.endsWhole) break
      walk.frameBytes += length
      walk.holeBytes += holeBytes
      holeBytes = 0
      isInStep = true
      at += length
      continue
    }
    const tag = trailingTagBytes(bytes, size - at)
    if (tag > 0) {
      at += tag
      continue
    }
    isInStep = false
    const stray = skipStray(bytes)
    if (walk.frameBytes > 0) {
      walk.strayBytes += stray.bytes
      holeBytes += stray.zeros
    }
    at += stray.bytes
  }
  return walk.frameBytes > 0 ? walk : null

  /** Passes over what is neither frame nor tag, up to the next that could be. */
  function skipStray(bytes: Buffer): { bytes: number; zeros: number } {
    let zeros = 0
    let run = bytes[0] === 0 ? 1 : 0
    let end = 1
    for (; end < bytes.length; end++) {
      const byte = bytes[end]!
      if (byte === 0) {
        run++
        continue
      }
      if (run >= LEAST_HOLE_BYTES) zeros += run
      run = 0
      if (byte === 0xff ? frameAt(bytes, end) > 0 : isTagStart(bytes, end)) break
    }
    return { bytes: end, zeros: run >= LEAST_HOLE_BYTES ? zeros + run : zeros }
  }

  function isFollowed(bytes: Buffer, length: number, left: number): boolean {
    return (
      length === left ||
      frameAt(bytes, length) > 0 ||
      trailingTagBytes(bytes.subarray(length), left - length) > 0
    )
  }
}

/** The first letters of ID3, APETAGEX, TAG and LYRICSBEGIN. */
function isTagStart(bytes: Buffer, at: number): boolean {
  switch (bytes[at]) {
    case 0x49:
      return bytes[at + 1] === 0x44
    case 0x41:
      return bytes[at + 1] === 0x50
    case 0x54:
      return bytes[at + 1] === 0x41
    case 0x4c:
      return bytes[at + 1] === 0x59
    default:
      return false
  }
}

/** Bytes of a tag in the middle or at the end of a file, or 0. */
function trailingTagBytes(bytes: Buffer, left: number): number {
  const starts = bytes.toString('latin1', 0, 11)
  if (left === ID3V1_BYTES && starts.startsWith('TAG')) return ID3V1_BYTES
  // Lyrics3 is closed by an ID3v1 tag or the end of the file; nothing but tags follows it.
  if (starts === 'LYRICSBEGIN') return left
  // A footer without a header, as APEv1 has it, is all that is left.
  if (starts.startsWith('APETAGEX') && bytes.length >= 32 && left < 32 + ID3V1_BYTES) return left
  return tagBytes(bytes)
}

/** Holes and strange bytes that stand for less than this are a click. */
const LEAST_MISSING_S = 0.5

/** Strange bytes may be what somebody appended or a tag that nobody knows; not a fifth of the file. */
const MOST_STRAY_SHARE = 0.2

/**
 * Seconds that holes and strange bytes would have lasted, by the bitrate of the rest; 0 where it is so
 * little or of such a kind that nothing needs to be missing.
 */
export function missingSeconds(walk: FrameWalk, heardS: number): number {
  const bytesPerS = walk.frameBytes / heardS
  const holeS = walk.holeBytes / bytesPerS
  const strayS = walk.strayBytes / bytesPerS
  const strayShare = walk.strayBytes / (walk.strayBytes + walk.frameBytes)
  if (strayShare > MOST_STRAY_SHARE && strayS > LEAST_MISSING_S) return strayS
  return holeS > LEAST_MISSING_S ? holeS : 0
}
