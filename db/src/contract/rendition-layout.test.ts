import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packSizes, segmentSizes, unpackSizes } from './rendition-layout.ts'

test('sizes are read back as they were packed, two bytes each', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 65_535 })), (sizes) => {
      const bytes = packSizes(sizes)
      expect(bytes).toHaveLength(2 * sizes.length)
      expect(unpackSizes(bytes)).toEqual(sizes)
      // As a driver may hand them out: a part of a larger buffer, at any offset.
      const larger = new Uint8Array(bytes.length + 3)
      larger.set(bytes, 3)
      expect(unpackSizes(larger.subarray(3))).toEqual(sizes)
    }),
  )
})

test.each([-1, 65_536, 1.5, Number.NaN])('a size of %d bytes is refused', (size) => {
  expect(() => packSizes([1, size])).toThrow(RangeError)
})

test('a segment holds the frames of its place on the grid; a short rest belongs to the last', () => {
  // 12.04 s: three segments of 173, 172 and what is left, 40 ms too long.
  const timing = { sampleRate: 44_100, sampleCount: 530_964, primingSamples: 1024 }
  const layout = { frameSizes: Array<number>(520).fill(10), headerSizes: [800, 796, 801] }
  expect(segmentSizes(layout, timing)).toEqual([
    { headerBytes: 800, payloadBytes: 1730 },
    { headerBytes: 796, payloadBytes: 1720 },
    { headerBytes: 801, payloadBytes: 1750 },
  ])
})
