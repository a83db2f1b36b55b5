import { expect, test } from 'vitest'
import { makeSegmentGuess } from './segment-guess.ts'

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

function answering(files: Record<string, string>) {
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(urlOf(input))
    const text = files[urlOf(input)]
    return new Response(text ?? null, { status: text === undefined ? 404 : 200 })
  }
  return { fetch, asked }
}

test.each([
  ['/api/v1/media', 'https://music.example/api/v1/media/tracks/two/7/64k/0.m4s'],
  ['https://cdn.example', 'https://cdn.example/tracks/two/7/64k/0.m4s'],
])('a session of one track tells where segments of another are, below %s', (base, expected) => {
  const guess = makeSegmentGuess()
  const at = `${ORIGIN}/api/v1/tracks/one/hls`
  guess.learn(ONE, {
    masterUrl: `${at}/master.m3u8`,
    playlists: { [`${at}/master.m3u8`]: MASTER, [`${at}/64k.m3u8`]: playlist(base) },
  })
  expect(guess.firstSegment(TWO)).toBe(expected)
})

test('the public playlists tell it before the first session', async () => {
  const guess = makeSegmentGuess()
  const at = `${ORIGIN}/api/v1/tracks/one/hls`
  const { fetch, asked } = answering({
    [`${at}/master.m3u8`]: MASTER,
    [`${at}/64k.m3u8`]: playlist('/api/v1/media'),
  })
  await Promise.all([guess.scout(ONE, ORIGIN, fetch), guess.scout(TWO, ORIGIN, fetch)])
  expect(guess.firstSegment(TWO)).toBe(`${ORIGIN}/api/v1/media/tracks/two/7/64k/0.m4s`)
  await guess.scout(ONE, ORIGIN, fetch)
  expect(asked).toHaveLength(2)
})

test('where nothing can be learned nothing is guessed', async () => {
  const guess = makeSegmentGuess()
  await guess.scout(ONE, ORIGIN, answering({}).fetch)
  expect(guess.firstSegment(ONE)).toBeNull()
})
