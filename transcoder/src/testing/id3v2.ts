import { deflateSync } from 'node:zlib'

type TagOptions = {
  major?: 2 | 3 | 4
  /** Put a zero after each 0xFF, over the whole tag (2.3) or in each frame (2.4). */
  unsynchronised?: boolean
  /** Compress each frame with zlib. */
  compressed?: boolean
  /** Size that the header claims; the true one otherwise. */
  claims?: number
}

const syncsafe = (value: number) =>
  Buffer.from([21, 14, 7, 0].map((shift) => (value >> shift) & 0x7f))

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const unsynchronise = (bytes: Buffer) =>
  Buffer.from(bytes.toString('latin1').replaceAll('\xff', '\xff\0'), 'latin1')

/** Writes an ID3v2 tag; `frames` are names and contents, the byte of the encoding included. */
export function id3v2(
  frames: readonly (readonly [id: string, content: Buffer])[],
  options: TagOptions = {},
): Buffer {
  const { major = 4, unsynchronised = false, compressed = false } = options
  const body = frames.map(([id, content]) => {
    if (major === 2) {
      return Buffer.concat([Buffer.from(id), uint32(content.length).subarray(1), content])
    }
    const packed = compressed ? deflateSync(content) : content
    const sized =
      major === 3
        ? Buffer.concat([compressed ? uint32(content.length) : Buffer.alloc(0), packed])
        : unsynchronised
          ? unsynchronise(packed)
          : packed
    const format =
      major === 3 ? (compressed ? 0x80 : 0) : (compressed ? 8 : 0) | (unsynchronised ? 2 : 0)
    const size = major === 3 ? uint32(sized.length) : syncsafe(sized.length)
    return Buffer.concat([Buffer.from(id), size, Buffer.from([0, format]), sized])
  })
  const plain = Buffer.concat(body)
  const bytes = unsynchronised && major === 3 ? unsynchronise(plain) : plain
  const header = Buffer.from([0x49, 0x44, 0x33, major, 0, unsynchronised ? 0x80 : 0])
  return Buffer.concat([header, syncsafe(options.claims ?? bytes.length), bytes])
}

export const latin1Text = (text: string) =>
  Buffer.concat([Buffer.from([0]), Buffer.from(text, 'latin1')])

export const utf16Text = (text: string) =>
  Buffer.concat([Buffer.from([1, 0xff, 0xfe]), Buffer.from(text, 'utf16le')])

export const utf8Text = (text: string) => Buffer.concat([Buffer.from([3]), Buffer.from(text)])

/** An APIC frame's content. */
export const picture = (type: number, bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`\0image/jpeg\0`), Buffer.from([type, 0]), bytes])
