import { type MediaTiming, segmentCount, segmentStartFrame } from '@mist/db/contract'
import { expect, test } from 'vitest'
import { boxesIn, findBox } from './boxes.ts'
import { makeFragmentReader, type AacFrame } from './fragment-reader.ts'
import { writeInitSegment } from './init-segment.ts'
import { writeMediaSegment } from './media-segment.ts'
import { makeSegmenter } from './segmenter.ts'

const frame = (byte: number, size: number, samples = 1024): AacFrame => ({
  bytes: Buffer.alloc(size, byte),
  samples,
})

test('frames written to a segment are read back, whatever the chunks', () => {
  const frames = [frame(1, 300), frame(2, 7), frame(3, 411, 437)]
  const bytes = writeMediaSegment(5, 4096, frames)
  for (const size of [1, 7, 100, bytes.length]) {
    const read: { track: number; frame: AacFrame }[] = []
    const reader = makeFragmentReader((track, each) => read.push({ track, frame: each }))
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    reader.end()
    expect(read.map(({ frame: each }) => each)).toEqual(frames)
    expect(new Set(read.map(({ track }) => track))).toEqual(new Set([1]))
  }
})

test('a stream that breaks off inside a fragment is an error', () => {
  const reader = makeFragmentReader(() => {})
  reader.push(writeMediaSegment(0, 0, [frame(1, 300)]).subarray(0, 200))
  expect(() => reader.end()).toThrow(RangeError)
})

test.each([44_100, 48_000])('segments at %i Hz begin with the frames of the contract', (rate) => {
  const segmenter = makeSegmenter({ sampleRate: rate, primingSamples: 1024 })
  const lengths: number[] = []
  const total = segmentStartFrame(rate, 9) + 5
  for (let i = 0; i < total; i++) {
    const segment = segmenter.push(frame(0, 10, i === total - 1 ? 100 : 1024))
    if (segment !== null) lengths.push(segment.samples)
  }
  const rest = segmenter.finish()
  lengths.push(...rest.slice(0, -1).map(({ samples }) => samples))
  expect(lengths).toEqual(
    Array.from(
      { length: 9 },
      (_, n) => (segmentStartFrame(rate, n + 1) - segmentStartFrame(rate, n)) * 1024,
    ),
  )
  expect(rest.at(-1)).toMatchObject({ index: 9, samples: 4 * 1024 + 100 })
  expect(segmenter.samples()).toBe((total - 1) * 1024 + 100)
  expect(segmenter.finish()).toEqual([])
})

/** Lengths in samples of the segments of a track, cut as the frames come. */
function cutAll(timing: MediaTiming): number[] {
  const segmenter = makeSegmenter(timing)
  const cut: number[] = []
  for (let left = timing.sampleCount + timing.primingSamples; left > 0; left -= 1024) {
    const segment = segmenter.push(frame(0, 1, Math.min(1024, left)))
    if (segment !== null) cut.push(segment.samples)
  }
  return [...cut, ...segmenter.finish().map(({ samples }) => samples)]
}

test.each([22_050, 32_000, 44_100, 48_000])(
  'whatever the length, segments at %i Hz are as many and as long as the contract says',
  (sampleRate) => {
    for (const seconds of [4, 8, 12, 28]) {
      for (let off = -2600; off <= 3900; off += 97) {
        const timing = { sampleRate, sampleCount: seconds * sampleRate + off, primingSamples: 1024 }
        const lengths = cutAll(timing)
        expect(lengths).toHaveLength(segmentCount(timing))
        expect(lengths.reduce((sum, each) => sum + each, 0)).toBe(timing.sampleCount + 1024)
        const starts = lengths.map((_, segment) => segmentStartFrame(sampleRate, segment) * 1024)
        expect(lengths.slice(0, -1)).toEqual(starts.slice(1).map((at, n) => at - starts[n]!))
      }
    }
  },
)

test('a segment says when it starts and where its frames are', () => {
  const bytes = writeMediaSegment(2, 2 ** 33, [frame(9, 50)])
  const moof = findBox(bytes, 'moof')!
  const traf = findBox(moof, 'traf')!
  expect(findBox(traf, 'tfdt')!.readBigUInt64BE(4)).toBe(2n ** 33n)
  const offset = findBox(traf, 'trun')!.readUInt32BE(8)
  expect(bytes.subarray(offset)).toEqual(Buffer.alloc(50, 9))
  expect([...boxesIn(bytes)].map(({ type }) => type)).toEqual(['moof', 'mdat'])
})

test('an init segment tells delay and length to the sample, in an edit list and for iTunes', () => {
  const init = writeInitSegment({
    sampleRate: 44_100,
    channels: 2,
    bitrate: 128_000,
    primingSamples: 1024,
    paddingSamples: 11,
    sampleCount: 1_000_437,
  })
  const moov = findBox(init, 'moov')!
  const edit = findBox(findBox(findBox(moov, 'trak')!, 'edts')!, 'elst')!
  expect(edit.readBigUInt64BE(8)).toBe(1_000_437n)
  expect(edit.readBigUInt64BE(16)).toBe(1024n)
  expect(init.toString('latin1')).toContain(' 00000000 00000400 0000000B 00000000000F43F5 ')
  expect(init.length).toBeLessThan(1000)
})

test('a sample rate that AAC does not have is refused', () => {
  const track = { channels: 2, bitrate: 1, primingSamples: 0, paddingSamples: 0, sampleCount: 1 }
  expect(() => writeInitSegment({ ...track, sampleRate: 44_000 })).toThrow(RangeError)
})
