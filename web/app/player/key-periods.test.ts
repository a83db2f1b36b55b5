import { expect, test } from 'vitest'
import { keyPeriodsOf, periodAt } from './key-periods.ts'

const ORIGIN = 'https://music.example'

/** Segments of four seconds but for the last, of 2.5 s, `grain` of which share a key. */
function playlist(segments: number, grain: number): string {
  const lines = ['#EXTM3U', '#EXT-X-MAP:URI="/media/init.mp4"']
  for (let segment = 0; segment < segments; segment++) {
    lines.push(
      `#EXT-X-KEY:METHOD=AES-128,URI="/api/v1/keys/t/1/${Math.floor(segment / grain)}?token=x",IV=0x0${segment}`,
      `#EXTINF:${segment === segments - 1 ? '2.500000' : '4.000000'},`,
      `/media/${segment}.m4s`,
    )
  }
  return `${lines.join('\n')}\n#EXT-X-ENDLIST\n`
}

test('each segment with a key of its own is a period', () => {
  expect(keyPeriodsOf(playlist(3, 1), ORIGIN)).toEqual([
    { url: `${ORIGIN}/api/v1/keys/t/1/0`, number: 0, startS: 0, endS: 4 },
    { url: `${ORIGIN}/api/v1/keys/t/1/1`, number: 1, startS: 4, endS: 8 },
    { url: `${ORIGIN}/api/v1/keys/t/1/2`, number: 2, startS: 8, endS: 10.5 },
  ])
})

test('segments that share a key are one period', () => {
  const periods = keyPeriodsOf(playlist(5, 3), ORIGIN)
  expect(periods.map(({ startS, endS }) => [startS, endS])).toEqual([
    [0, 12],
    [12, 18.5],
  ])
})

test('segments without a key are no periods', () => {
  expect(keyPeriodsOf('#EXTM3U\n#EXTINF:4,\n0.m4s\n', ORIGIN)).toEqual([])
})

test('a key is named once where all segments share it', () => {
  const text = '#EXT-X-KEY:METHOD=AES-128,URI="/k/0"\n#EXTINF:4,\n0\n#EXTINF:4,\n1\n'
  expect(keyPeriodsOf(text, ORIGIN)).toMatchObject([{ number: 0, startS: 0, endS: 8 }])
})

test.each([
  [0, 0],
  [3.99, 0],
  [4, 1],
  [99, 2],
])('at %d s period %d is heard', (positionS, index) => {
  expect(periodAt(keyPeriodsOf(playlist(3, 1), ORIGIN), positionS)).toBe(index)
})
