import { open, type FileHandle } from 'node:fs/promises'
import { UnplayableSource } from './failures.ts'
import { adtsFrameBytes } from './mpeg-frames.ts'
import { walkOgg } from './ogg-walk.ts'
import type { SourceFormat } from './source-format.ts'

/** Ogg pages are at most 65,307 bytes (RFC 3533 §6); ADTS frames at most 8191. */
const TAIL_BYTES = 131_072

/**
 * Refuses files that end in the middle of a page, frame or chunk, for the formats in which ffmpeg
 * takes the end of the file for the end of the music. In the others (MP3 with a Xing header, FLAC,
 * MP4, AIFF) the length that the header declares gives a cut away after decoding.
 *
 * @returns the length of an Ogg file of several links, in seconds
 * @throws UnplayableSource `truncated`, `not-audio`
 */
export async function refuseCutOff(
  file: string,
  format: SourceFormat,
  signal: AbortSignal,
): Promise<{ chainS: number | null }> {
  const handle = await open(file)
  try {
    const ogg = format.demuxer === 'ogg' ? await walkOgg(file, signal) : null
    if (ogg?.endsInRubbish || (await isCutOff(handle, format))) {
      throw new UnplayableSource(
        'truncated',
        `The ${format.name} file is cut off in the middle. Upload the whole file.`,
      )
    }
    return { chainS: ogg?.chainS ?? null }
  } finally {
    await handle.close()
  }
}

async function isCutOff(handle: FileHandle, format: SourceFormat): Promise<boolean> {
  const { size } = await handle.stat()
  if (format.demuxer === 'wav') return isWavCutOff(handle, size)
  const from = Math.max(0, size - TAIL_BYTES)
  const tail = Buffer.alloc(size - from)
  await handle.read(tail, 0, tail.length, from)
  if (format.demuxer === 'ogg') return isOggCutOff(tail)
  if (format.demuxer === 'aac') return isAdtsCutOff(tail)
  return false
}

/** Chunks before the sound: real files have a dozen. Each costs whoever opens the file a seek. */
const MAX_CHUNKS = 1000

/** The `data` chunk says how long it is, unless it was written as a stream (0 or all ones). */
async function isWavCutOff(handle: FileHandle, size: number): Promise<boolean> {
  const header = Buffer.alloc(8)
  let chunks = 0
  for (let at = 12; at + 8 <= size;) {
    if (++chunks > MAX_CHUNKS) {
      throw new UnplayableSource(
        'not-audio',
        `The WAV file has no sound among its first ${MAX_CHUNKS} chunks.`,
      )
    }
    await handle.read(header, 0, 8, at)
    const length = header.readUInt32LE(4)
    if (header.toString('latin1', 0, 4) === 'data') {
      // A byte more or less is how some writers pad.
      return length !== 0 && length < 0xffff_fff0 && at + 8 + length > size + 1
    }
    at += 8 + length + (length % 2)
  }
  return false
}

/** The last page must be whole: its table adds up to its length, and its checksum is right (RFC 3533 §6). */
export function isOggCutOff(tail: Buffer): boolean {
  const at = tail.lastIndexOf('OggS')
  if (at < 0) return true
  const segments = tail[at + 26]
  if (segments === undefined || at + 27 + segments > tail.length) return true
  const table = tail.subarray(at + 27, at + 27 + segments)
  const end = at + 27 + segments + table.reduce((sum, each) => sum + each, 0)
  return end > tail.length || oggChecksum(tail.subarray(at, end)) !== tail.readUInt32LE(at + 22)
}

/** CRC-32 of a page with its own field taken as 0: polynomial 0x04c11db7, not reflected, from 0 on. */
function oggChecksum(page: Buffer): number {
  let crc = 0
  for (let i = 0; i < page.length; i++) {
    crc ^= (i >= 22 && i < 26 ? 0 : page[i]!) << 24
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1
  }
  return crc >>> 0
}

/** Follows the last frames, each of which says where the next begins. */
export function isAdtsCutOff(tail: Buffer): boolean {
  for (let start = 0; start + 7 < tail.length; start++) {
    // A chain of five frames is no coincidence.
    let at = start
    let frames = 0
    for (let length = adtsFrameBytes(tail, at); length > 0; length = adtsFrameBytes(tail, at)) {
      if (at + length > tail.length) return true
      at += length
      frames++
    }
    // What is left is a tag, nothing, or the first bytes of a header.
    if (frames >= 5) return at < tail.length && tail.length - at < 7 && tail[at] === 0xff
  }
  return false
}
