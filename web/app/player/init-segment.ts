/** Offset of the payload of the first box of a type (four ASCII letters), or -1. */
function payloadOf(segment: Uint8Array, type: string): number {
  const letters = new TextEncoder().encode(type)
  const at = segment.findIndex((_, index) =>
    letters.every((code, offset) => segment[index + offset] === code),
  )
  return at === -1 ? -1 : at + letters.length
}

/**
 * Copies an init segment without its track's duration: the edit then lasts as long as the fragments
 * (`segment_duration` 0 of `elst`, ISO/IEC 14496-12 § 8.6.6). Firefox takes the duration of the
 * element from there.
 */
export function withoutDuration(segment: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(segment)
  const edits = payloadOf(copy, 'elst')
  if (edits === -1) return copy
  // Version and flags, the number of edits, then the first one's duration: 64 bits in version 1.
  const duration = edits + 8
  return copy.fill(0, duration, duration + (copy[edits] === 1 ? 8 : 4))
}
