import { MAX_ATTRIBUTION_CHARS, MAX_NAME_CHARS, MAX_TRACK_ARTISTS } from '@mist/db/contract'
import { makeTrack } from '@mist/db/testing/factories'
import { expect, test } from 'vitest'
import type { ListeningSession } from '../contract/listening.ts'
import type { Credit } from '../contract/credits.ts'
import type { Page } from '../contract/pages.ts'
import type { SimilarTrack, Track } from '../contract/tracks.ts'
import { makeTestApi, problemCode } from '../testing/api.ts'

const api = makeTestApi()

/** Each test lists on an origin of its own, so that the edge's cache keeps them apart. */
let origins = 0
function freshOrigin(): string {
  origins += 1
  return `https://${Date.now()}-${origins}.example`
}

/** A track whose place in the list is known: tests of other files make tracks, too. */
async function trackAt(createdAt: string, title = 'A track'): Promise<string> {
  const { trackId } = await makeTrack(api.db, { title })
  await api.db.$client`update tracks set created_at = ${createdAt} where id = ${trackId}`
  return trackId
}

test('tracks are listed page by page, in a stable order, though they differ by microseconds', async () => {
  const origin = freshOrigin()
  const ids = []
  for (const second of ['00.000001', '00.000002', '00.000003', '00.000003', '01'])
    ids.push(await trackAt(`2999-01-01T00:00:${second}Z`))
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null && seen.length < 5) {
    const query: string = `limit=2${cursor && `&cursor=${cursor}`}`
    const page: Page<Track> = await (await api.call('GET', `tracks?${query}`, { origin })).json()
    seen.push(...page.items.map((track) => track.id))
    cursor = page.nextCursor
    // What is added meanwhile comes before, and disturbs nothing.
    await trackAt('2999-01-02T00:00:00Z')
  }
  const [a, b, c, d, e] = ids
  const twins = String(c) > String(d) ? [c, d] : [d, c]
  expect(seen.slice(0, 5)).toEqual([e, ...twins, b, a])
})

test.each(['cursor=nonsense', 'cursor=WzEsMl0', 'limit=0', 'limit=101', 'limit=x'])(
  'the query %s is refused',
  async (query) => {
    const response = await api.call('GET', `tracks?${query}`)
    expect([response.status, await problemCode(response)]).toEqual([422, 'validation-failed'])
  },
)

test('a track names its artists, and where its covers are', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const { trackId } = await makeTrack(api.db, { title: 'Sarabande' })
  await api.db
    .$client`update tracks set cover_version = 1, loudness_lufs = -14 where id = ${trackId}`
  const patched = await api.call('PATCH', `tracks/${trackId}`, {
    body: {
      artists: ['First', 'Second', 'first'],
      album: 'An album',
      genres: ['ambient'],
      year: 2001,
      attribution: 'CC BY 4.0',
    },
    bearer: admin.token,
  })
  expect(patched.status).toBe(200)
  const track = await (await api.call('GET', `tracks/${trackId}`)).json<Track>()
  expect(await patched.json()).toEqual(track)
  expect(track).toEqual({
    id: trackId,
    title: 'Sarabande',
    artists: [
      { id: expect.any(String), name: 'First' },
      { id: expect.any(String), name: 'Second' },
    ],
    album: { id: expect.any(String), title: 'An album' },
    genres: ['ambient'],
    durationS: 180,
    coverUrls: {
      '96': `https://api.example/api/v1/media/tracks/${trackId}/1/cover-96.webp`,
      '320': `https://api.example/api/v1/media/tracks/${trackId}/1/cover-320.webp`,
      '800': `https://api.example/api/v1/media/tracks/${trackId}/1/cover-800.webp`,
    },
    coverColours: null,
    loudnessLufs: -14,
    trackGainDb: 0,
    albumGainDb: 0,
    tempoBpm: null,
    version: 1,
    createdAt: expect.stringMatching(/Z$/),
    year: 2001,
    discNumber: null,
    trackNumber: null,
    albumArtists: [{ id: expect.any(String), name: 'First' }],
    key: null,
    playCount: 0,
    hasLyrics: false,
    attribution: 'CC BY 4.0',
  })
  const renamed = await api.call('PATCH', `tracks/${trackId}`, {
    body: { title: "Robert'); drop table tracks;--", artists: ['second'], album: null },
    bearer: admin.token,
  })
  expect(await renamed.json()).toMatchObject({
    title: "Robert'); drop table tracks;--",
    artists: [{ id: track.artists[1]?.id, name: 'Second' }],
    album: null,
    genres: ['ambient'],
  })
})

test('what an admin wrote is noted, once, so that no file replaces it', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const { trackId } = await makeTrack(api.db)
  const edited = async () => {
    const [row] = await api.db.$client`select edited_fields from tracks where id = ${trackId}`
    return row?.['edited_fields'] as unknown
  }
  const patch = (body: unknown) =>
    api.call('PATCH', `tracks/${trackId}`, { body, bearer: admin.token })
  await patch({})
  expect(await edited()).toEqual([])
  await patch({ year: null, artists: ['A'] })
  await patch({ artists: ['B'], title: 'T' })
  expect(await edited()).toEqual(['artists', 'title', 'year'])
})

test('lyrics are an admin’s before the file’s, in LRC or plain, and can be taken away', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const { trackId } = await makeTrack(api.db)
  const path = `tracks/${trackId}/lyrics`
  const get = () => api.call('GET', path)
  const put = (body: unknown) => api.call('PUT', path, { body, bearer: admin.token })
  expect(await problemCode(await get())).toBe('not-found')
  await api.db.$client`insert into track_lyrics (track_id, source, language, synced, lines)
    values (${trackId}, 'file', 'en', false, '[{"startS": null, "text": "of the file"}]')`
  expect(await (await get()).json()).toEqual({
    language: 'en',
    synced: false,
    lines: [{ startS: null, text: 'of the file' }],
  })
  const timed = {
    language: 'pt-BR',
    synced: true,
    lines: [
      { startS: 1.5, text: 'um' },
      { startS: 63, text: 'dois' },
    ],
  }
  const written = await put({ text: '[01:03]dois\n[00:01.50]um', language: 'pt_br' })
  expect([written.status, await written.json()]).toEqual([200, timed])
  expect(await (await get()).json()).toEqual(timed)
  expect((await put({ text: ' \n' })).status).toBe(200)
  expect((await get()).status).toBe(404)

  for (const body of [
    { text: '[00:01.00]' },
    { text: 'x'.repeat(20_001) },
    { text: 'x\n'.repeat(2000) },
    { text: 'x', language: 'no language' },
    {},
  ])
    expect([JSON.stringify(body).slice(0, 40), (await put(body)).status]).toEqual([
      JSON.stringify(body).slice(0, 40),
      422,
    ])
  const elsewhere = await api.call('PUT', `tracks/${crypto.randomUUID()}/lyrics`, {
    body: { text: 'x' },
    bearer: admin.token,
  })
  expect(elsewhere.status).toBe(404)
  const user = await api.signIn()
  expect((await api.call('PUT', path, { body: { text: 'x' }, bearer: user.token })).status).toBe(
    403,
  )
})

test('a track tells the gain it has, and its album’s', async () => {
  const { trackId } = await makeTrack(api.db)
  const { $client: sql } = api.db
  const [artist, album] = [crypto.randomUUID(), crypto.randomUUID()]
  await sql`update track_versions set gain_db = -6 where track_id = ${trackId}`
  const gains = async () => {
    const track = await (await api.call('GET', `tracks/${trackId}`)).json<Track>()
    return [track.trackGainDb, track.albumGainDb, track.album]
  }
  expect(await gains()).toEqual([-6, null, null])
  await sql`insert into artists (id, name) values (${artist}, ${artist})`
  await sql`insert into albums (id, title, artist_id) values (${album}, 'Album', ${artist})`
  await sql`update tracks set album_id = ${album}, loudness_lufs = -8, sample_peak_dbfs = 0
            where id = ${trackId}`
  const { trackId: soft } = await makeTrack(api.db)
  await sql`update tracks set album_id = ${album}, loudness_lufs = -11.0206, sample_peak_dbfs = -3
            where id = ${soft}`
  // 10·log((10^-0.8 + 10^-1.10206)/2) = -9.25
  expect(await gains()).toEqual([-6, -4.75, { id: album, title: 'Album' }])
})

test('only admins change or delete tracks', async () => {
  const { trackId } = await makeTrack(api.db)
  const user = await api.signIn()
  for (const [method, path] of [
    ['PATCH', `tracks/${trackId}`],
    ['DELETE', `tracks/${trackId}`],
    ['POST', `tracks/${trackId}/replace`],
    ['POST', 'admin/retranscode'],
  ] as const) {
    const body = path.endsWith('replace')
      ? { filename: 'a.mp3', sizeBytes: 1, contentType: 'audio/mpeg' }
      : { title: 'Mine' }
    expect((await api.call(method, path, { body, bearer: user.token })).status).toBe(403)
    expect((await api.call(method, path, { body })).status).toBe(401)
  }
})

const long = (letter: string) => letter.repeat(MAX_NAME_CHARS)

test('what a track says of itself is accepted when it is sent back, at its longest too', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const { trackId } = await makeTrack(api.db, { title: '🎵'.repeat(MAX_NAME_CHARS) })
  const patch = (body: unknown) =>
    api.call('PATCH', `tracks/${trackId}`, { body, bearer: admin.token })
  expect(
    (
      await patch({
        artists: Array.from({ length: MAX_TRACK_ARTISTS }, (_, i) => long(String(i)).slice(0, 300)),
        album: long('é'),
        genres: [long('g')],
        attribution: 'x'.repeat(MAX_ATTRIBUTION_CHARS),
      })
    ).status,
  ).toBe(200)
  const said = await (await api.call('GET', `tracks/${trackId}`)).json<Track>()
  const { title, artists, album, genres, year, trackNumber, attribution } = said
  const names = artists.map(({ name }) => name)
  const back = {
    title,
    artists: names,
    album: album?.title,
    genres,
    year,
    trackNumber,
    attribution,
  }
  const again = await patch(back)
  expect(again.status).toBe(200)
  expect(await again.json()).toEqual(said)
  const tooLong = await patch({ title: long('x') + 'x' })
  expect([tooLong.status, await problemCode(tooLong)]).toEqual([422, 'validation-failed'])
})

test('what an admin types is cleaned: controls and direction overrides go, joiners stay', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const { trackId } = await makeTrack(api.db, {})
  const patched = await api.call('PATCH', `tracks/${trackId}`, {
    body: {
      title: ' a\0b\u202ec\ud800 👨\u200d👩 ',
      artists: ['می\u200cخواهم'],
      genres: ['e\u0301'],
    },
    bearer: admin.token,
  })
  expect(await patched.json()).toMatchObject({
    title: 'a bc 👨\u200d👩',
    artists: [{ name: 'می\u200cخواهم' }],
    genres: ['é'],
  })
  const invisible = await api.call('PATCH', `tracks/${trackId}`, {
    body: { title: '\u200d\u202e' },
    bearer: admin.token,
  })
  expect(invisible.status).toBe(422)
})

test('a deleted track is gone at once for listeners, and its objects will be', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const listener = await api.signIn()
  const { trackId } = await makeTrack(api.db)
  const bearer = listener.token
  const started = await api.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  const session = await started.json<ListeningSession>()
  const remove = () => api.call('DELETE', `tracks/${trackId}`, { bearer: admin.token })
  expect((await remove()).status).toBe(204)
  expect((await remove()).status).toBe(404)
  const key = await api.call('GET', `keys/${trackId}/1/1`, { bearer: session.token })
  expect([key.status, await problemCode(key)]).toEqual([409, 'session-ended'])
  for (const path of ['', '/similar', '/analysis', '/hls/master.m3u8'])
    expect((await api.call('GET', `tracks/${trackId}${path}`)).status).toBe(404)
  const again = await api.call('POST', 'listening-sessions', { body: { trackId }, bearer })
  expect(again.status).toBe(404)
  const rows = await api.db.$client`
    select bucket, key, is_prefix, not_before > now() + interval '23 hours' as waits
    from tombstones where track_id = ${trackId}`
  expect(rows).toEqual([
    { bucket: 'media', key: `tracks/${trackId}/`, is_prefix: true, waits: true },
  ])
})

test('the credits name every track whose licence asks for it, however many, and no other', async () => {
  const artistId = crypto.randomUUID()
  await api.db.$client`insert into artists (id, name) values (${artistId}, ${artistId})`
  const made = await api.db.$client`
    with made as (
      insert into tracks (id, title, version, duration_s, attribution, published_at, created_at)
      -- Many of one instant: paging goes on within it.
      select gen_random_uuid(), 'Credited ' || n, 1, 60, 'By somebody, CC BY 4.0', now(),
             timestamptz '2020-01-01' + make_interval(secs => n / 100)
      from generate_series(1, 1200) n returning id
    ), by as (
      insert into track_artists (track_id, artist_id, position) select id, ${artistId}, 0 from made
    )
    select id from made`
  const { trackId: without } = await makeTrack(api.db)
  const ids = made.map((row) => String(row['id']))
  await api.db.$client`update tracks set published_at = null where id = ${ids[0]}`
  await api.db.$client`update tracks set deleted_at = now() where id = ${ids[1]}`
  for (const limit of [1000, 370]) {
    const named: string[] = []
    let cursor: string | null = ''
    do {
      const query: string = `limit=${limit}${cursor && `&cursor=${cursor}`}`
      const response = await api.call('GET', `credits?${query}`)
      expect(response.status).toBe(200)
      const page: Page<Credit> = await response.json()
      named.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(new Set(named).size).toBe(named.length)
    expect(ids.slice(2).filter((id) => !named.includes(id))).toEqual([])
    for (const id of [ids[0], ids[1], without]) expect(named).not.toContain(id)
  }
  const [first] = (await (await api.call('GET', 'credits?limit=1')).json<Page<Credit>>()).items
  expect(first).toEqual({
    id: expect.any(String),
    title: expect.any(String),
    artists: expect.any(Array),
    attribution: expect.any(String),
  })
  await api.db.$client`delete from tracks where title like 'Credited %'`
})

test('visitors get a list that may be five seconds old; admins see what they just did', async () => {
  const origin = freshOrigin()
  const list = async (bearer?: string) => {
    const response = await api.call('GET', 'tracks?limit=100', {
      origin,
      ...(bearer && { bearer }),
    })
    const { items } = await response.json<Page<Track>>()
    return {
      ids: items.map((track) => track.id),
      cacheControl: response.headers.get('cache-control'),
    }
  }
  const admin = await api.signIn({ role: 'admin' })
  await list()
  const fresh = await trackAt('2999-03-01T00:00:00Z')
  const visitor = await list()
  expect(visitor.ids).not.toContain(fresh)
  expect(visitor.cacheControl).toBe('public, max-age=0')
  const seen = await list(admin.token)
  expect(seen.ids).toContain(fresh)
  expect(seen.cacheControl).toBe('private, no-store')
})

const vector = (...values: number[]) =>
  `[${Array.from({ length: 40 }, (_, index) => values[index] ?? 0).join(',')}]`

test('tracks that sound alike come nearest first, and only those of the same embedding version', async () => {
  const made = []
  for (const [embedding, version] of [
    [vector(1), 7001],
    [vector(0.9, 0.4358898943540674), 7001],
    [vector(0, 1), 7001],
    [vector(-1), 7001],
    [vector(1), 7002],
  ] as const) {
    const { trackId } = await makeTrack(api.db)
    await api.db.$client`insert into track_embeddings values (${trackId}, ${version}, ${embedding})`
    made.push(trackId)
  }
  const [self, near, far, opposite, otherVersion] = made
  const similar = async (id: string | undefined, query = '') => {
    const response = await api.call('GET', `tracks/${id}/similar${query}`)
    return (await response.json<{ items: SimilarTrack[] }>()).items
  }
  const items = await similar(self)
  expect(items.map((item) => item.track.id)).toEqual([near, far, opposite])
  expect(items.map((item) => Math.round(item.similarity * 100) / 100)).toEqual([0.9, 0, -1])
  expect(await similar(self, '?limit=1')).toHaveLength(1)
  expect(await similar(otherVersion)).toEqual([])
  const { trackId: bare } = await makeTrack(api.db)
  expect(await similar(bare)).toEqual([])
  expect((await api.call('GET', `tracks/${crypto.randomUUID()}/similar`)).status).toBe(404)
})

test('after a change of the ladder the catalogue is made anew, once', async () => {
  const admin = await api.signIn({ role: 'admin' })
  const again = () => api.call('POST', 'admin/retranscode', { bearer: admin.token })
  expect(await (await again()).json()).toMatchObject({ queued: expect.any(Number) })
  const started = await api.db.$client`select kind, started_at from remakes`
  expect(started).toMatchObject([{ kind: 'retranscode' }])
  await again()
  expect(await api.db.$client`select kind, started_at from remakes`).toEqual(started)
})

test('what the transcoder heard can be drawn', async () => {
  const { trackId } = await makeTrack(api.db)
  await api.db.$client`
    update tracks set waveform = '\\x00ff10', features = '{"tempoBpm": 120}' where id = ${trackId}`
  const response = await api.call('GET', `tracks/${trackId}/analysis`)
  expect(await response.json()).toEqual({ waveform: [0, 255, 16], features: { tempoBpm: 120 } })
})
