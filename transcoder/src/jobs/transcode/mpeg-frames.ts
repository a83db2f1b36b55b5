/** Headers of MPEG audio and ADTS frames: both say where the next frame begins. */

/** Bytes in the ADTS frame at `at`, or 0 where there is none (ISO/IEC 13818-7 §6.2). */
export function adtsFrameBytes(bytes: Buffer, at: number): number {
  if (at + 7 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xf6) !== 0xf0) return 0
  if (((bytes[at + 2]! >> 2) & 0xf) > 12) return 0
  const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5)
  return length > 7 ? length : 0
}

/** kbit/s by index: MPEG-1 layers I, II, III, then MPEG-2 layer I, and its layers II and III. */
const BITRATES = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const

const SAMPLE_RATES = [44_100, 48_000, 32_000] as const

/** Bytes in the MPEG audio frame at `at`, or 0 where there is none (ISO/IEC 11172-3 §2.4.1.3). */
export function mpegFrameBytes(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return 0
  const version = (bytes[at + 1]! >> 3) & 3
  const layer = 4 - ((bytes[at + 1]! >> 1) & 3)
  const rateIndex = (bytes[at + 2]! >> 2) & 3
  if (version === 1 || layer === 4 || rateIndex === 3) return 0
  const isFirstVersion = version === 3
  const table = isFirstVersion ? BITRATES[layer - 1] : BITRATES[layer === 1 ? 3 : 4]
  const kbits = table?.[bytes[at + 2]! >> 4] ?? 0
  if (kbits === 0) return 0
  const rate = SAMPLE_RATES[rateIndex]! / (isFirstVersion ? 1 : version === 2 ? 2 : 4)
  const padding = (bytes[at + 2]! >> 1) & 1
  if (layer === 1) return (Math.floor((12_000 * kbits) / rate) + padding) * 4
  const samples = layer === 3 && !isFirstVersion ? 576 : 1152
  return Math.floor((samples * 125 * kbits) / rate) + padding
}

/**
 * Whether there is MPEG audio in the free format: frames of a bitrate that the header does not tell,
 * so that only the distance to the next header says how long they are.
 */
export function isFreeFormat(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0xff); at >= 0 && at + 4 <= bytes.length;) {
    const second = bytes[at + 1]!
    const isHeader = (second & 0xe0) === 0xe0 && (second & 0x06) !== 0 && (second & 0x18) !== 0x08
    if (isHeader && (bytes[at + 2]! & 0xf0) === 0 && (bytes[at + 2]! & 0x0c) !== 0x0c) {
      const next = nextLike(bytes, at)
      // Three at the same distance, but for a byte of padding, are no coincidence.
      const third = next < 0 ? -1 : nextLike(bytes, next)
      if (third >= 0 && Math.abs(third - 2 * next + at) <= 1) return true
    }
    at = bytes.indexOf(0xff, at + 1)
  }
  return false
}

/** Where the next header is that is the same but for its padding, or -1. */
function nextLike(bytes: Buffer, at: number): number {
  // 8 kB is more than any frame of layer III.
  const until = Math.min(bytes.length - 3, at + 8192)
  for (let next = at + 24; next < until; next++) {
    if (
      bytes[next] === 0xff &&
      bytes[next + 1] === bytes[at + 1] &&
      ((bytes[next + 2]! ^ bytes[at + 2]!) & 0xfc) === 0
    )
      return next
  }
  return -1
}
