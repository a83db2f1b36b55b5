import { type MediaTiming, segmentCount, segmentStartFrame } from './key-periods.ts'

/** Where a rendition's bytes are: of each AAC frame and of each segment, without fetching any. */
export type RenditionLayout = {
  /** Bytes of each frame, in order. */
  frameSizes: readonly number[]
  /** Bytes in front of the first frame of each clear segment: `moof` and the header of its `mdat`. */
  headerSizes: readonly number[]
}

/** Two bytes each: a frame of AAC-LC has at most 768 a channel (ISO/IEC 14496-3 §4.5.3). */
const MAX_SIZE = 0xffff

/**
 * Packs sizes for storage: two bytes each, the low one first, so that those of any segment can be cut
 * out without reading the rest. Differences in a variable number of bytes would save a tenth.
 *
 * @throws RangeError for a size that does not fit
 */
export function packSizes(sizes: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * sizes.length)
  const view = new DataView(bytes.buffer)
  for (const [index, size] of sizes.entries()) {
    if (!Number.isInteger(size) || size < 0 || size > MAX_SIZE) {
      throw new RangeError(`a size of ${size} bytes can't be stored`)
    }
    view.setUint16(2 * index, size, true)
  }
  return bytes
}

/** Reads what `packSizes` has written. */
export function unpackSizes(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length >> 1 }, (_, index) => view.getUint16(2 * index, true))
}

/**
 * Tells of each segment how many bytes it has in the clear: the header, and the payload of its `mdat`,
 * which are its frames. Encrypted it is the next multiple of 16 above their sum (PKCS#7).
 */
export function segmentSizes(
  { frameSizes, headerSizes }: RenditionLayout,
  timing: MediaTiming,
): { headerBytes: number; payloadBytes: number }[] {
  const count = segmentCount(timing)
  const startOf = (segment: number) =>
    segment === count ? frameSizes.length : segmentStartFrame(timing.sampleRate, segment)
  return headerSizes.map((headerBytes, segment) => ({
    headerBytes,
    payloadBytes: frameSizes
      .slice(startOf(segment), startOf(segment + 1))
      .reduce((sum, size) => sum + size, 0),
  }))
}
