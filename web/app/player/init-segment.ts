/** Where the payload of the first box of this type begins, or -1. Types are four letters of ASCII. */
function payloadOf(segment: Uint8Array, type: string): number {
  const letters = new TextEncoder().encode(type)
  const at = segment.findIndex((_, index) =>
    letters.every((code, offset) => segment[index + offset] === code),
  )
  return at === -1 ? -1 : at + letters.length
}

/**
 * Makes an init segment that says nothing of how long its track is: a copy whose edit lasts as long
 * as the fragments do (`segment_duration` 0 of `elst`, ISO/IEC 14496-12 § 8.6.6). Some browsers
 * (Firefox) take the duration of the element from there.
 */
export function withoutDuration(segment: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(segment)
  const edits = payloadOf(copy, 'elst')
  if (edits === -1) return copy
  // Version and flags, the number of edits, then the first one's duration: 64 bits in version 1.
  const duration = edits + 8
  return copy.fill(0, duration, duration + (copy[edits] === 1 ? 8 : 4))
}
