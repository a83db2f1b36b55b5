import { expect, test } from 'vitest'
import { makeHlsFiles, makeSegmentPrefetch, plainUrl } from './hls-files.ts'
import { LoadError } from './loader.ts'

function urlOf(input: RequestInfo | URL): string {
  return input instanceof Request ? input.url : input.toString()
}

const ORIGIN = 'https://music.example'
const FOREVER = new AbortController().signal
const MASTER = `${ORIGIN}/api/v1/tracks/t/hls/master.m3u8`
const INIT = `${ORIGIN}/api/v1/media/tracks/t/1/64k/init.mp4`

function filesWith(respond: (url: string) => Response = () => new Response('from the network')) {
  const requested: string[] = []
  const learned: string[] = []
  const parts = {
    origin: ORIGIN,
    fetch: async (input: RequestInfo | URL) => {
      requested.push(urlOf(input))
      return respond(urlOf(input))
    },
  }
  const prefetch = makeSegmentPrefetch(parts)
  const onPlaylist = (text: string) => learned.push(text)
  return { files: makeHlsFiles({ ...parts, prefetch, onPlaylist }), prefetch, requested, learned }
}

const HLS = {
  masterUrl: MASTER,
  playlists: { [MASTER]: '#EXTM3U' },
  inits: { [INIT]: btoa('init') },
}

test('HLS playlists and init segments of the session are served from memory', async () => {
  const { files, requested } = filesWith()
  files.add(HLS)
  const playlist = await files.playlist('/api/v1/tracks/t/hls/master.m3u8?token=x', FOREVER)
  const init = await files.media(INIT, FOREVER)
  expect(playlist.data).toBe('#EXTM3U')
  expect(new TextDecoder().decode(init.data as ArrayBuffer)).toBe('init')
  expect(requested).toEqual([])
})

test('each HLS playlist is told, whether it came with the session or is fetched', async () => {
  const { files, learned } = filesWith()
  files.add(HLS)
  await files.playlist('/other.m3u8', FOREVER)
  expect(learned).toEqual(['#EXTM3U', 'from the network'])
})

test('the same init segment can be handed out twice, whatever became of the first', async () => {
  const { files } = filesWith()
  files.add(HLS)
  const first = (await files.media(INIT, FOREVER)).data as ArrayBuffer
  structuredClone(first, { transfer: [first] })
  expect(((await files.media(INIT, FOREVER)).data as ArrayBuffer).byteLength).toBe(4)
})

test('everything else is fetched without cookies', async () => {
  const { files, requested } = filesWith()
  expect((await files.playlist('/other.m3u8', FOREVER)).data).toBe('from the network')
  expect(requested).toEqual(['/other.m3u8'])
})

test('a prefetched segment is fetched once, and handed out once', async () => {
  const { files, prefetch, requested } = filesWith()
  prefetch.start('/0.m4s')
  prefetch.start(`${ORIGIN}/0.m4s`)
  await files.media('/0.m4s', FOREVER)
  expect(requested).toEqual(['/0.m4s'])
  await files.media('/0.m4s', FOREVER)
  expect(requested).toHaveLength(2)
})

test('a prefetch that fails costs nothing: the segment is fetched as usual', async () => {
  let times = 0
  const { files, prefetch } = filesWith(() => {
    times += 1
    return new Response('x', { status: times === 1 ? 404 : 200 })
  })
  prefetch.start('/0.m4s')
  expect((await files.media('/0.m4s', FOREVER)).data).toHaveProperty('byteLength', 1)
})

test('only a few prefetched segments are kept', async () => {
  const { files, prefetch, requested } = filesWith()
  for (let number = 0; number < 20; number++) prefetch.start(`/${number}.m4s`)
  await files.media('/19.m4s', FOREVER)
  expect(requested).toHaveLength(20)
  await files.media('/0.m4s', FOREVER)
  expect(requested).toHaveLength(21)
})

test('a status other than 2xx is thrown as an error with that status', async () => {
  const { files } = filesWith(() => new Response('', { status: 410 }))
  await expect(files.media('/0.m4s', FOREVER)).rejects.toEqual(new LoadError(410, 'HTTP 410'))
})

test.each([
  ['/a/b?token=1#c', 'https://music.example/a/b'],
  ['https://cdn.example/a', 'https://cdn.example/a'],
])('%s is compared as %s', (url, plain) => {
  expect(plainUrl(url, ORIGIN)).toBe(plain)
})
