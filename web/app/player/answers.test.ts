import { expect, test } from 'vitest'
import { makeAnswers, makeEarlySegments, plainUrl } from './answers.ts'
import { AnswerError } from './loader.ts'

function urlOf(input: RequestInfo | URL): string {
  return input instanceof Request ? input.url : input.toString()
}

const ORIGIN = 'https://music.example'
const FOREVER = new AbortController().signal
const MASTER = `${ORIGIN}/api/v1/tracks/t/hls/master.m3u8`
const INIT = `${ORIGIN}/api/v1/media/tracks/t/1/64k/init.mp4`

function answering(respond: (url: string) => Response = () => new Response('from the network')) {
  const asked: string[] = []
  const fetching = {
    origin: ORIGIN,
    fetch: async (input: RequestInfo | URL) => {
      asked.push(urlOf(input))
      return respond(urlOf(input))
    },
  }
  const early = makeEarlySegments(fetching)
  return { answers: makeAnswers({ ...fetching, early }), early, asked }
}

const HLS = {
  masterUrl: MASTER,
  playlists: { [MASTER]: '#EXTM3U' },
  inits: { [INIT]: btoa('init') },
}

test('playlists and init segments of the session are answered from memory', async () => {
  const { answers, asked } = answering()
  answers.add(HLS)
  const playlist = await answers.playlist('/api/v1/tracks/t/hls/master.m3u8?token=x', FOREVER)
  const init = await answers.media(INIT, FOREVER)
  expect(playlist.data).toBe('#EXTM3U')
  expect(new TextDecoder().decode(init.data as ArrayBuffer)).toBe('init')
  expect(asked).toEqual([])
})

test('the same init segment can be handed out twice, whatever became of the first', async () => {
  const { answers } = answering()
  answers.add(HLS)
  const first = (await answers.media(INIT, FOREVER)).data as ArrayBuffer
  structuredClone(first, { transfer: [first] })
  expect(((await answers.media(INIT, FOREVER)).data as ArrayBuffer).byteLength).toBe(4)
})

test('everything else is fetched without cookies', async () => {
  const { answers, asked } = answering()
  expect((await answers.playlist('/other.m3u8', FOREVER)).data).toBe('from the network')
  expect(asked).toEqual(['/other.m3u8'])
})

test('an early segment is fetched once, and handed out once', async () => {
  const { answers, early, asked } = answering()
  early.warm('/0.m4s')
  early.warm(`${ORIGIN}/0.m4s`)
  await answers.media('/0.m4s', FOREVER)
  expect(asked).toEqual(['/0.m4s'])
  await answers.media('/0.m4s', FOREVER)
  expect(asked).toHaveLength(2)
})

test('a wrong guess costs nothing: the segment is asked for as usual', async () => {
  let times = 0
  const { answers, early } = answering(() => {
    times += 1
    return new Response('x', { status: times === 1 ? 404 : 200 })
  })
  early.warm('/0.m4s')
  expect((await answers.media('/0.m4s', FOREVER)).data).toHaveProperty('byteLength', 1)
})

test('only a few early segments are kept', async () => {
  const { answers, early, asked } = answering()
  for (let number = 0; number < 20; number++) early.warm(`/${number}.m4s`)
  await answers.media('/19.m4s', FOREVER)
  expect(asked).toHaveLength(20)
  await answers.media('/0.m4s', FOREVER)
  expect(asked).toHaveLength(21)
})

test('a status that is not 2xx is thrown with its number', async () => {
  const { answers } = answering(() => new Response('', { status: 410 }))
  await expect(answers.media('/0.m4s', FOREVER)).rejects.toEqual(new AnswerError(410, 'HTTP 410'))
})

test.each([
  ['/a/b?token=1#c', 'https://music.example/a/b'],
  ['https://cdn.example/a', 'https://cdn.example/a'],
])('%s is compared as %s', (url, plain) => {
  expect(plainUrl(url, ORIGIN)).toBe(plain)
})
