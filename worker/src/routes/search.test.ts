import { makeTrack } from '@mist/db/testing/factories'
import { beforeAll, expect, test } from 'vitest'
import type { SearchAnswer, Suggestion } from '../contract/search.ts'
import { makeTestApi } from '../testing/api.ts'

const api = makeTestApi()

type Made = { title: string; artists: string[]; album?: string; genres?: string[]; year?: number }

async function make({ title, ...rest }: Made): Promise<string> {
  const admin = await api.signIn({ role: 'admin' })
  const { trackId } = await makeTrack(api.db, { title })
  const patched = await api.call('PATCH', `tracks/${trackId}`, { body: rest, bearer: admin.token })
  expect(patched.status).toBe(200)
  return trackId
}

let monkeys: string
beforeAll(async () => {
  monkeys = await make({
    title: 'Monkeys Spinning Monkeys',
    artists: ['Kevin MacLeod'],
    album: 'Happy',
    genres: ['Comedy'],
    year: 1995,
  })
  await make({ title: 'Halo', artists: ['Beyoncé'], genres: ['Hip Hop'], year: 2008 })
  await make({ title: 'Thunderstruck', artists: ['AC/DC'], genres: ['Hard Rock'], year: 1990 })
  await make({ title: 'So What', artists: ['P!nk'] })
  await make({ title: 'レモン', artists: ['米津玄師'] })
  await make({ title: 'نسم علينا الهوى', artists: ['فيروز'] })
  await make({ title: '!!!', artists: ['!!!'] })
  await api.db.$client`update tracks set tempo_bpm = 120 where id = ${monkeys}`
})

async function find(q: string, rest = ''): Promise<SearchAnswer> {
  const response = await api.call('GET', `search?q=${encodeURIComponent(q)}${rest}`)
  expect(response.status).toBe(200)
  return response.json()
}
const titles = ({ tracks }: SearchAnswer) => tracks.items.map(({ title }) => title)
const names = ({ artists }: SearchAnswer) => artists.items.map(({ name }) => name)

test.each([
  ['monkys spining', 'Monkeys Spinning Monkeys'],
  ['monkeysspinningmonkeys', 'Monkeys Spinning Monkeys'],
  ['kevin spinning happy', 'Monkeys Spinning Monkeys'],
  ['thunder', 'Thunderstruck'],
  ['acdc thunderstuck', 'Thunderstruck'],
  ['nothing of it halo', undefined],
  ['please halo', 'Halo'],
  ['れもん', undefined],
  ['レモ', 'レモン'],
  ['!!!', '!!!'],
  ['%', undefined],
  ["' | & ! \\ :* ( <->", undefined],
])('“%s” finds the track %s', async (q, title) => {
  expect(titles(await find(q))[0]).toBe(title)
})

test.each([
  ['beyonce', 'Beyoncé'],
  ['ac dc', 'AC/DC'],
  ['pnk', 'P!nk'],
  ['فيروز', 'فيروز'],
  ['米津玄师', '米津玄師'],
  ['kevin mcleod', 'Kevin MacLeod'],
])('“%s” finds the artist %s', async (q, name) => {
  expect(names(await find(q))[0]).toBe(name)
})

test('filters in the box narrow what is found, with words and without', async () => {
  const all = await find('genre:comedy year:1990-1999 bpm:100-130')
  expect(all.query).toEqual({
    text: '',
    filters: { genre: 'comedy', yearFrom: 1990, yearTo: 1999, bpmFrom: 100, bpmTo: 130 },
  })
  expect([titles(all), names(all), all.albums.items.map(({ title }) => title)]).toEqual([
    ['Monkeys Spinning Monkeys'],
    ['Kevin MacLeod'],
    ['Happy'],
  ])
  expect(titles(await find('monkeys genre:comedy'))).toEqual(['Monkeys Spinning Monkeys'])
  expect(titles(await find('monkeys year:1996-'))).toEqual([])
  expect(titles(await find('monkeys bpm:-100'))).toEqual([])
  expect(titles(await find('genre:hip-hop'))).toEqual(['Halo'])
  expect(names(await find('kevin genre:"hard rock"'))).toEqual([])
})

test('only the types that are asked for are looked for, and no more of each than the limit', async () => {
  const found = await find('kevin macleod', '&types=artist,playlist')
  expect([titles(found), names(found), found.playlists]).toEqual([
    [],
    ['Kevin MacLeod'],
    { items: [], nextCursor: null },
  ])
  for (let n = 0; n < 3; n++) await make({ title: `Many ${n}`, artists: ['Many'] })
  expect(titles(await find('many', '&limit=2'))).toHaveLength(2)
  for (const wrong of ['types=tracks', 'limit=51', `q=${'x'.repeat(201)}`])
    expect((await api.call('GET', `search?${wrong}`)).status).toBe(422)
  const longest = await find('é'.repeat(200))
  expect(titles(longest)).toEqual([])
})

test('what is hidden is not found, nor an artist and an album who have nothing else', async () => {
  const trackId = await make({ title: 'Vanishing', artists: ['Gone'], album: 'Away' })
  expect((await find('vanishing')).tracks.items.map(({ id }) => id)).toEqual([trackId])
  await api.db.$client`update tracks set deleted_at = now() where id = ${trackId}`
  for (const q of ['vanishing', 'gone', 'away']) {
    const { tracks, artists, albums } = await find(q)
    expect([q, tracks.items, artists.items, albums.items]).toEqual([q, [], [], []])
  }
})

async function suggest(q: string): Promise<Suggestion[]> {
  const response = await api.call('GET', `search/suggestions?q=${encodeURIComponent(q)}`)
  return (await response.json<{ items: Suggestion[] }>()).items
}

test('suggestions come while one types, of all types, with whose they are', async () => {
  expect((await suggest('kevin mac'))[0]).toMatchObject({
    type: 'artist',
    title: 'Kevin MacLeod',
    subtitle: null,
    coverUrls: null,
  })
  expect((await suggest('monkeys sp'))[0]).toEqual({
    type: 'track',
    id: monkeys,
    title: 'Monkeys Spinning Monkeys',
    subtitle: 'Kevin MacLeod',
    coverUrls: null,
  })
  expect((await suggest('happ'))[0]).toMatchObject({ type: 'album', subtitle: 'Kevin MacLeod' })
  expect(await suggest('')).toEqual([])
})

test('of two that match alike, the one that is played more comes first', async () => {
  await make({ title: 'Twin', artists: ['Rarely'] })
  const often = await make({ title: 'Twin', artists: ['Often'] })
  await api.db
    .$client`insert into track_totals (track_id, plays, completions) values (${often}, 50, 1)`
  // The track, and its artist.
  expect(await api.deps.repos.search.refreshPlays()).toBe(2)
  expect(await api.deps.repos.search.refreshPlays()).toBe(0)
  const { items } = (await find('twin')).tracks
  expect(items.map(({ artists }) => artists[0]?.name)).toEqual(['Often', 'Rarely'])
})
