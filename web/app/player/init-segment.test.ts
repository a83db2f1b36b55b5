import { expect, test } from 'vitest'
import { withoutDuration } from './init-segment.ts'

const ascii = (text: string) => new TextEncoder().encode(text)

/** `edts` with one edit that starts after 1024 samples of priming, at unity rate. */
function edit(version: 0 | 1, durationBytes: number[]): Uint8Array {
  const mediaTime = version === 1 ? [0, 0, 0, 0, 0, 0, 4, 0] : [0, 0, 4, 0]
  const list = [version, 0, 0, 0, 0, 0, 0, 1, ...durationBytes, ...mediaTime, 0, 1, 0, 0]
  const box = [0, 0, 0, list.length + 8, ...ascii('elst'), ...list]
  return Uint8Array.from([...ascii('before'), 0, 0, 0, box.length + 8, ...ascii('edts'), ...box])
}

test('the duration of the edit is taken out, and its start stays', () => {
  expect(withoutDuration(edit(0, [1, 2, 3, 4]))).toEqual(edit(0, [0, 0, 0, 0]))
  expect(withoutDuration(edit(1, [0, 0, 0, 0, 1, 2, 3, 4]))).toEqual(
    edit(1, [0, 0, 0, 0, 0, 0, 0, 0]),
  )
})

test('the segment itself is left alone, and one without an edit is only copied', () => {
  const given = edit(1, [0, 0, 0, 0, 1, 2, 3, 4])
  withoutDuration(given)
  expect(given).toEqual(edit(1, [0, 0, 0, 0, 1, 2, 3, 4]))
  const plain = Uint8Array.from(ascii('moov'))
  expect(withoutDuration(plain)).toEqual(plain)
  expect(withoutDuration(plain)).not.toBe(plain)
})
