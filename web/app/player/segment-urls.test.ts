import { expect, test } from 'vitest'
import { makeSegmentUrls } from './segment-urls.ts'

function urlOf(input: RequestInfo | URL): string {
  return input instanceof Request ? input.url : input.toString()
}

const ORIGIN = 'https://music.example'
const ONE = { id: 'one', version: 3 }
const TWO = { id: 'two', version: 7 }
const MASTER =
  '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=66000\n64k.m3u8\n#EXT-X-STREAM-INF\n128k.m3u8\n'

function playlist(base: string): string {
  return `#EXTM3U\r\n#EXT-X-MAP:URI="${base}/tracks/one/3/64k/init.mp4"\r\n#EXTINF:4,\r\n${base}/tracks/one/3/64k/0.m4s\r\n`
}

function fetchOf(files: Record<string, string>) {
  const requested: string[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    requested.push(urlOf(input))
    const text = files[urlOf(input)]
    return new Response(text ?? null, { status: text === undefined ? 404 : 200 })
  }
  return { fetch, requested }
}

test.each([
  ['/api/v1/media', 'https://music.example/api/v1/media/tracks/two/7/64k/0.m4s'],
  ['https://cdn.example', 'https://cdn.example/tracks/two/7/64k/0.m4s'],
])('a session of one track shows where the segments of another are, below %s', (base, expected) => {
  const segmentUrls = makeSegmentUrls()
  const at = `${ORIGIN}/api/v1/tracks/one/hls`
  segmentUrls.learn(ONE, {
    masterUrl: `${at}/master.m3u8`,
    playlists: { [`${at}/master.m3u8`]: MASTER, [`${at}/64k.m3u8`]: playlist(base) },
  })
  expect(segmentUrls.firstOf(TWO)).toBe(expected)
})

test('the public playlists show it before the first session', async () => {
  const segmentUrls = makeSegmentUrls()
  const at = `${ORIGIN}/api/v1/tracks/one/hls`
  const { fetch, requested } = fetchOf({
    [`${at}/master.m3u8`]: MASTER,
    [`${at}/64k.m3u8`]: playlist('/api/v1/media'),
  })
  await Promise.all([
    segmentUrls.learnFromPlaylists(ONE, ORIGIN, fetch),
    segmentUrls.learnFromPlaylists(TWO, ORIGIN, fetch),
  ])
  expect(segmentUrls.firstOf(TWO)).toBe(`${ORIGIN}/api/v1/media/tracks/two/7/64k/0.m4s`)
  await segmentUrls.learnFromPlaylists(ONE, ORIGIN, fetch)
  expect(requested).toHaveLength(2)
})

test('without a pattern there is no URL', async () => {
  const segmentUrls = makeSegmentUrls()
  await segmentUrls.learnFromPlaylists(ONE, ORIGIN, fetchOf({}).fetch)
  expect(segmentUrls.firstOf(ONE)).toBeNull()
})
