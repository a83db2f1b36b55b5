import {
  AAC_FRAME_SAMPLES,
  frameCount,
  newId,
  periodChargeMs,
  periodCount,
  segmentCount,
  TrackId,
} from '@mist/db/contract'
import { expect, test } from 'vitest'
import { masterPlaylist, mediaPlaylist, segmentDurations } from './hls-playlists.ts'

const trackId = newId(TrackId)
const urls = { apiBase: '/api/v1', mediaBase: '/api/v1/media', token: null }
const rendition = {
  name: '128k',
  peakBandwidth: 141_000,
  averageBandwidth: 130_500,
  codecs: 'mp4a.40.2',
  ivSeed: new Uint8Array(16).fill(0xab),
}
const timingOf = (sampleRate: number, seconds: number) => ({
  sampleRate,
  sampleCount: Math.round(seconds * sampleRate),
  primingSamples: 1024,
})
const track = { trackId, version: 3, timing: timingOf(44_100, 30), segmentsPerPeriod: 1 }

test('the master playlist declares measured bandwidths and codecs', () => {
  expect(masterPlaylist(track, [rendition], urls)).toBe(
    `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=141000,AVERAGE-BANDWIDTH=130500,CODECS="mp4a.40.2"
/api/v1/tracks/${trackId}/hls/128k.m3u8?v=3
`,
  )
})

test.each([
  [1, '01234567'],
  [3, '00011122'],
])('with %i segments to a key, playlists name the keys %s', (segmentsPerPeriod, periods) => {
  const lines = mediaPlaylist({ ...track, segmentsPerPeriod }, rendition, urls).split('\n')
  const keys = lines.filter((line) => line.startsWith('#EXT-X-KEY'))
  expect(keys.map((line) => /\/3\/(\d+)"/.exec(line)?.[1])).toEqual(periods.split(''))
})

test('the media playlist maps the clear init first, then gives each segment its key and IV', () => {
  const lines = mediaPlaylist(track, rendition, urls).trimEnd().split('\n')
  expect(lines.slice(0, 10)).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:4',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-MAP:URI="/api/v1/media/tracks/${trackId}/3/128k/init.mp4"`,
    `#EXT-X-KEY:METHOD=AES-128,URI="/api/v1/keys/${trackId}/3/0",IV=0x${'ab'.repeat(16)}`,
    // 173 frames of 1024 samples: the first frame at or after 4 s begins at 4.017 s.
    '#EXTINF:4.017052,',
    `/api/v1/media/tracks/${trackId}/3/128k/0.m4s`,
  ])
  expect(lines.at(-1)).toBe('#EXT-X-ENDLIST')
  const keys = lines.filter((line) => line.startsWith('#EXT-X-KEY'))
  expect(new Set(keys.map((line) => /IV=(.*)/.exec(line)?.[1])).size).toBe(8)
})

test.each([
  [44_100, 0.5],
  [44_100, 4],
  [44_100, 4.03],
  [44_100, 12],
  [48_000, 12.06],
  [44_100, 180],
  [44_100, 10_800],
  [48_000, 24],
  [48_000, 29.99],
  [32_000, 61.7],
])('segments at %i Hz over %f s add up to the stream, to the sample', (sampleRate, seconds) => {
  const timing = timingOf(sampleRate, seconds)
  const durations = segmentDurations(timing)
  expect(durations).toHaveLength(segmentCount(timing))
  const samples = durations.reduce((sum, durationS) => sum + Math.round(durationS * sampleRate), 0)
  expect(samples).toBe(frameCount(timing) * AAC_FRAME_SAMPLES)
  for (const durationS of durations) {
    expect(durationS).toBeGreaterThan(0)
    expect(Math.round(durationS)).toBeLessThanOrEqual(4)
  }
})

test.each([4, 8, 12, 16, 4.03].flatMap((seconds) => [1, 3].map((per) => [seconds, per] as const)))(
  'a track of %f s, %i segments to a key, ends with a segment that has sound of its own, under a key that has a price',
  (seconds, segmentsPerPeriod) => {
    const timing = timingOf(44_100, seconds)
    const text = mediaPlaylist({ ...track, timing, segmentsPerPeriod }, rendition, urls)
    const durations = [...text.matchAll(/EXTINF:([\d.]+)/g)].map((match) => Number(match[1]))
    expect(durations.at(-1)).toBeGreaterThan(3.9)
    expect(text).toContain('TARGETDURATION:4\n')
    const periods = new Set([...text.matchAll(/keys\/[^/]+\/3\/(\d+)"/g)].map((match) => match[1]))
    expect(periods.size).toBe(periodCount(timing, segmentsPerPeriod))
    expect(periodChargeMs(timing, periods.size - 1, segmentsPerPeriod)).toBeGreaterThan(0)
  },
)

test('a token goes into playlist and key URLs, and nowhere else', () => {
  const withToken = { ...urls, token: 'a.b.c' }
  const master = masterPlaylist(track, [rendition], withToken)
  expect(master).toContain('128k.m3u8?v=3&token=a.b.c\n')
  const media = mediaPlaylist(track, rendition, withToken)
  expect(media).toContain(`/3/0?token=a.b.c",IV=`)
  expect(media.match(/token=/g)).toHaveLength(8)
  expect(media).toContain('/128k/0.m4s\n')
})
