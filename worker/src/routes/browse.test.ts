import { makeTrack } from '@mist/db/testing/factories'
import { beforeAll, expect, test } from 'vitest'
import { type AlbumWithTracks, type Genre, TracksQuery } from '../contract/browse.ts'
import type { Album, Artist } from '../contract/catalogue.ts'
import type { Page } from '../contract/pages.ts'
import type { Track } from '../contract/tracks.ts'
import { makeTestApi } from '../testing/api.ts'

const api = makeTestApi()
const { $client: sql } = api.db

/** No cache, so that a walk sees the catalogue as it is; what is cached has tests of its own. */
let origins = 0
const freshOrigin = () => `https://browse-${(origins += 1)}.example`

async function get<T>(path: string, origin = freshOrigin()): Promise<T> {
  const response = await api.call('GET', path, { origin })
  expect([path, response.status]).toEqual([path, 200])
  return response.json<T>()
}

let admin: { token: string }
beforeAll(async () => {
  admin = await api.signIn({ role: 'admin' })
})

async function make(title: string, body: Record<string, unknown> = {}): Promise<Track> {
  const { trackId } = await makeTrack(api.db, { title })
  const bearer = admin.token
  const patched = await api.call('PATCH', `tracks/${trackId}`, { body: { ...body }, bearer })
  expect(patched.status).toBe(200)
  return patched.json()
}

/** Walks a list to its end, two at a time, with something between any two pages. */
async function walk(path: string, meanwhile: () => Promise<unknown> = async () => {}) {
  const ids: string[] = []
  let cursor: string | null = ''
  do {
    const url: string = `${path}${path.includes('?') ? '&' : '?'}limit=2${cursor && `&cursor=${cursor}`}`
    const page: Page<{ id: string }> = await get(url)
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
    await meanwhile()
  } while (cursor !== null)
  return ids
}

/** All alike in the first sixty characters, by which lists are sorted. */
const longTitle = (n: number) => `${'Ünïted “quotes” \\ 🎵 '.repeat(5)} ${n}`

test.each([
  'tracks?sort=title',
  'tracks',
  'albums?sort=title',
  'albums?sort=newest',
  'artists',
  'artists?sort=newest',
])('%s is walked while tracks come and go, without a repeat or a gap', async (path) => {
  const made: Track[] = []
  // Names alike in the first sixty characters: what tells them apart is the id.
  for (let n = 0; n < 7; n++)
    made.push(
      await make(n % 2 ? longTitle(n) : `B${n}`, {
        artists: [`${longTitle(n)} by`],
        album: longTitle(n),
      }),
    )
  const resource = path.split('?')[0]
  const idOf = (track: Track) =>
    resource === 'tracks'
      ? track.id
      : resource === 'albums'
        ? track.album!.id
        : track.artists[0]!.id
  const gone = made.slice(0, 2)
  let round = 0
  const ids = await walk(path, async () => {
    round++
    if (round > 4) return
    await make(`${round % 2 ? 'A' : 'Z'} new`, {
      artists: [`New ${path} ${round}`],
      album: `New ${round}`,
    })
    const leaving = gone.shift()
    if (leaving) await api.call('DELETE', `tracks/${leaving.id}`, { bearer: admin.token })
  })
  expect(new Set(ids).size).toBe(ids.length)
  for (const track of made.slice(2)) expect(ids).toContain(idOf(track))
})

test('each filter narrows the list, and two narrow it more', async () => {
  const one = await make('Filtered one', {
    artists: ['Filter A'],
    album: 'Filter album',
    genres: ['Drum & Bass'],
    year: 1991,
  })
  const two = await make('Filtered two', {
    artists: ['Filter B'],
    genres: ['drum and bass', 'Jazz'],
    year: 2005,
  })
  await sql`update tracks set tempo_bpm = 174, duration_s = 100,
    features = '{"key": {"tonic": "F#", "mode": "minor"}}' where id = ${one.id}`
  await sql`update tracks set tempo_bpm = 90, duration_s = 400 where id = ${two.id}`
  const found = async (query: string) => {
    const { items } = await get<Page<Track>>(`tracks?limit=100&${query}`)
    return items.filter(({ title }) => title.startsWith('Filtered')).map(({ id }) => id)
  }
  for (const query of [
    `artistId=${one.artists[0]?.id}`,
    `albumId=${one.album?.id}`,
    'yearTo=1999',
    'bpmFrom=170&bpmTo=180',
    `key=${encodeURIComponent('F# minor')}`,
    'durationToS=150',
    'genre=drum-and-bass&yearFrom=1990&yearTo=1995',
  ])
    expect([query, await found(query)]).toEqual([query, [one.id]])
  expect(await found('genre=Drum%20%26%20Bass')).toEqual([two.id, one.id])
  expect(await found('genre=jazz')).toEqual([two.id])
  expect(await found('durationFromS=150')).toEqual([two.id])
  expect(await found('genre=none-such')).toEqual([])
  const shown = await get<Track>(`tracks/${one.id}`)
  expect(shown).toMatchObject({ key: 'F# minor', albumArtists: one.artists, hasLyrics: false })
  for (const wrong of ['sort=plays', 'yearFrom=x', 'artistId=1', 'key=H', 'bpmFrom=-1'])
    expect([wrong, (await api.call('GET', `tracks?${wrong}`)).status]).toEqual([wrong, 422])
})

test('an answer is kept for exactly what was asked: no parameter gets another one’s page', async () => {
  const origin = freshOrigin()
  const cases: Record<string, string> = {
    genre: 'none',
    artistId: crypto.randomUUID(),
    albumId: crypto.randomUUID(),
    yearFrom: '9000',
    yearTo: '1',
    bpmFrom: '999',
    bpmTo: '0',
    key: 'A# minor',
    durationFromS: '999999',
    durationToS: '0',
    sort: 'title',
    limit: '1',
  }
  expect(Object.keys(TracksQuery.shape).sort()).toEqual([...Object.keys(cases), 'cursor'].sort())
  await make('B cached')
  await make('A cached')
  const all = await get<Page<Track>>('tracks', origin)
  for (const [name, value] of Object.entries(cases))
    expect([name, await get(`tracks?${name}=${encodeURIComponent(value)}`, origin)]).not.toEqual([
      name,
      all,
    ])
  const next = await get<Page<Track>>('tracks?limit=1', origin)
  expect(await get(`tracks?limit=1&cursor=${next.nextCursor}`, origin)).not.toEqual(next)
})

test('an artist has albums and tracks, and one who was merged leads to the other', async () => {
  const track = await make('Of hers', {
    artists: ['Ada L.'],
    album: 'Notes',
    genres: ['Jazz'],
    year: 1843,
  })
  const id = track.artists[0]?.id
  await sql`insert into track_totals (track_id, plays, completions) values (${track.id}, 3, 1)`
  const artist = {
    id,
    name: 'Ada L.',
    sortName: 'Ada L.',
    coverUrls: null,
    genres: ['Jazz'],
    trackCount: 1,
    albumCount: 1,
    playCount: 3,
  }
  const merged = await make('Old name', { artists: ['Augusta'] })
  const old = merged.artists[0]?.id
  await sql`update artists set merged_into = ${id} where id = ${old}`
  for (const each of [id, old]) {
    expect(await get<Artist>(`artists/${each}`)).toEqual(artist)
    const albums = await get<Page<Album>>(`artists/${each}/albums`)
    expect(albums.items.map(({ title, year }) => [title, year])).toEqual([['Notes', 1843]])
    const tracks = await get<Page<Track>>(`artists/${each}/tracks`)
    expect(tracks.items.map((item) => [item.id, item.playCount])).toEqual([[track.id, 3]])
  }
  await api.call('DELETE', `tracks/${track.id}`, { bearer: admin.token })
  for (const path of ['', '/albums', '/tracks'])
    expect((await api.call('GET', `artists/${id}${path}`, { origin: freshOrigin() })).status).toBe(
      404,
    )
})

test('an album has its tracks in order of disc and track, and only those that are published', async () => {
  const made = []
  for (const n of [3, 1, 2, 4])
    made.push(await make(`Part ${n}`, { artists: ['Orderly'], album: 'In order', trackNumber: n }))
  const [third, first, second, hidden] = made
  await sql`update tracks set disc_number = 2, track_number = 1 where id = ${first!.id}`
  await sql`update tracks set published_at = null where id = ${hidden!.id}`
  const album = await get<AlbumWithTracks>(`albums/${third!.album!.id}`)
  expect(album).toMatchObject({
    title: 'In order',
    artists: third!.artists,
    kind: null,
    trackCount: 3,
    durationS: 540,
  })
  expect(album.tracks.map(({ id }) => id)).toEqual([second!.id, third!.id, first!.id])
  expect((await api.call('GET', `albums/${crypto.randomUUID()}`)).status).toBe(404)
})

test('genres are counted under one spelling, by what is published', async () => {
  await make('Shoe one', { genres: ['Shoe-Gaze'] })
  await make('Shoe two', { genres: ['shoe gaze'] })
  const { items } = await get<{ items: Genre[] }>('genres')
  expect(items.filter(({ slug }) => slug === 'shoe-gaze')).toEqual([
    { slug: 'shoe-gaze', name: 'Shoe-Gaze', trackCount: 2 },
  ])
})
