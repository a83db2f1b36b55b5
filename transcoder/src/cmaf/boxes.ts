/** The few ISO base media boxes (ISO/IEC 14496-12) that CMAF audio needs, written and read. */

/** An unsigned big-endian integer of `size` bytes. */
export function uint(size: 1 | 2 | 3 | 4 | 8, value: number): Buffer {
  const bytes = Buffer.alloc(size)
  if (size === 8) bytes.writeBigUInt64BE(BigInt(value))
  else bytes.writeUIntBE(value, 0, size)
  return bytes
}

/** A box: size, four-character type, contents. */
export function box(type: string, ...contents: Uint8Array[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 8)
  return Buffer.concat([uint(4, length), Buffer.from(type, 'latin1'), ...contents], length)
}

/** A box that starts with a version and 24 bits of flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...contents: Uint8Array[]
): Buffer {
  return box(type, uint(1, version), uint(3, flags), ...contents)
}

/** Bytes of zero, for the reserved fields. */
export const zeros = (count: number): Buffer => Buffer.alloc(count)

/** The boxes in `bytes`, one level deep. */
export function* boxesIn(bytes: Buffer): Generator<{ type: string; content: Buffer }> {
  let at = 0
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at)
    if (size < 8 || at + size > bytes.length)
      throw new RangeError('a box is longer than its parent')
    yield {
      type: bytes.toString('latin1', at + 4, at + 8),
      content: bytes.subarray(at + 8, at + size),
    }
    at += size
  }
}

/** The first box of a type, or null. */
export function findBox(bytes: Buffer, type: string): Buffer | null {
  for (const found of boxesIn(bytes)) if (found.type === type) return found.content
  return null
}
