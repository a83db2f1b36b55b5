import { asc, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ArtistId, newId, TrackId } from '../contract/ids.ts'
import {
  albums,
  artistAliases,
  artistMbids,
  artists,
  trackArtists,
  tracks,
} from '../schema/index.ts'
import { makeTestDatabase, makeTrack, type TestDatabase } from '../testing/index.ts'
import { creditTrack, type TrackCredits } from './credit-track.ts'

let db: TestDatabase
let close: () => Promise<void>

beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
})
afterAll(() => close())

async function credit(trackId: TrackId, credits: TrackCredits): Promise<void> {
  await db.transaction(async (tx) => {
    for (const statement of creditTrack(trackId, credits)) await tx.execute(statement)
  })
}

/** A track's artists by name, its album's title, and whose that is. */
async function creditsOf(trackId: TrackId) {
  const names = await db
    .select({ name: artists.name })
    .from(trackArtists)
    .innerJoin(artists, eq(artists.id, trackArtists.artistId))
    .where(eq(trackArtists.trackId, trackId))
    .orderBy(asc(trackArtists.position))
  const [album] = await db
    .select({ id: albums.id, title: albums.title, year: albums.year, artist: artists.name })
    .from(tracks)
    .innerJoin(albums, eq(albums.id, tracks.albumId))
    .innerJoin(artists, eq(artists.id, albums.artistId))
    .where(eq(tracks.id, trackId))
  return { artists: names.map(({ name }) => name), album: album ?? null }
}

test('artists keep their order, and the same name in another case is the same artist', async () => {
  const [one, two] = [await makeTrack(db), await makeTrack(db)]
  await credit(one.trackId, { artists: ['Zoë', 'Ada'] })
  await credit(two.trackId, { artists: ['ADA', 'zoë', 'ada'] })
  expect((await creditsOf(one.trackId)).artists).toEqual(['Zoë', 'Ada'])
  expect((await creditsOf(two.trackId)).artists).toEqual(['Ada', 'Zoë'])
})

test('an album is found within its album artist, whoever its tracks are by', async () => {
  const [one, two] = [await makeTrack(db), await makeTrack(db)]
  const album = { album: 'Now', albumArtist: 'Various Artists' }
  await credit(one.trackId, { artists: ['A'], ...album, year: 1999 })
  await credit(two.trackId, { artists: ['B'], ...album, album: 'NOW', year: 2001 })
  const found = await creditsOf(one.trackId)
  expect(found.album).toMatchObject({ title: 'Now', artist: 'Various Artists', year: 1999 })
  expect((await creditsOf(two.trackId)).album).toEqual(found.album)
})

test('without an album artist, an album is the first artist’s', async () => {
  const [one, two] = [await makeTrack(db), await makeTrack(db)]
  await credit(one.trackId, { artists: ['C', 'D'], album: 'First' })
  await credit(two.trackId, { artists: ['D'] })
  await credit(two.trackId, { album: 'First' })
  expect((await creditsOf(one.trackId)).album).toMatchObject({ title: 'First', artist: 'C' })
  expect((await creditsOf(two.trackId)).album).toMatchObject({ title: 'First', artist: 'D' })
})

test('an album that is not the first artist’s stays whose it is under another title', async () => {
  const { trackId } = await makeTrack(db)
  await credit(trackId, { artists: ['E'], album: 'Then', albumArtist: 'Various Artists' })
  await credit(trackId, { artists: ['F'], album: 'Later' })
  expect((await creditsOf(trackId)).album).toMatchObject({
    title: 'Later',
    artist: 'Various Artists',
  })
})

test('an album that was the first artist’s goes with new ones', async () => {
  const { trackId } = await makeTrack(db)
  await credit(trackId, { artists: ['Unknown artist'], album: 'Demo' })
  await credit(trackId, { artists: ['G'], album: 'Demo' })
  expect((await creditsOf(trackId)).album).toMatchObject({ title: 'Demo', artist: 'G' })
})

test('what is not given stays, and an album without any artist is not made', async () => {
  const { trackId } = await makeTrack(db)
  await credit(trackId, { album: 'Nobody’s' })
  expect(await creditsOf(trackId)).toEqual({ artists: [], album: null })
  await credit(trackId, { artists: ['H'], album: 'Kept' })
  await credit(trackId, {})
  await credit(trackId, { artists: [] })
  expect(await creditsOf(trackId)).toMatchObject({ artists: ['H'], album: { title: 'Kept' } })
})

test('a deleted or unknown track is given nothing', async () => {
  const { trackId } = await makeTrack(db)
  await credit(trackId, { artists: ['I'] })
  await db.update(tracks).set({ deletedAt: new Date() }).where(eq(tracks.id, trackId))
  await credit(trackId, { artists: ['Too late'], album: 'Too late' })
  await credit(newId(TrackId), { artists: ['Too late'], album: 'Too late' })
  expect(await creditsOf(trackId)).toEqual({ artists: ['I'], album: null })
  expect(await db.select().from(artists).where(eq(artists.name, 'Too late'))).toEqual([])
})

/** An identifier of MusicBrainz's. */
const mbid = () => crypto.randomUUID()

test('a name means whom its alias says, whatever they are called now, and is folded as Unicode says', async () => {
  const [one, two] = [await makeTrack(db), await makeTrack(db)]
  await credit(one.trackId, { artists: ['Sinéad Groß'] })
  await db.update(artists).set({ name: 'Shuhada' }).where(eq(artists.name, 'Sinéad Groß'))
  await credit(two.trackId, { artists: ['SINÉAD  GROSS'], album: 'Of hers' })
  expect(await creditsOf(two.trackId)).toMatchObject({
    artists: ['Shuhada'],
    album: { artist: 'Shuhada' },
  })
  await credit(two.trackId, { artists: ['Sinead Gross'] })
  expect((await creditsOf(two.trackId)).artists).toEqual(['Sinead Gross'])
})

test('an alias that leads to another artist after a merge is followed', async () => {
  const [one, two] = [await makeTrack(db), await makeTrack(db)]
  await credit(one.trackId, { artists: ['Merged', 'Kept'] })
  const [kept] = await db.select().from(artists).where(eq(artists.name, 'Kept'))
  await db
    .update(artistAliases)
    .set({ artistId: kept!.id })
    .where(eq(artistAliases.folded, 'merged'))
  await credit(two.trackId, { artists: ['Merged', 'Kept'] })
  expect((await creditsOf(two.trackId)).artists).toEqual(['Kept'])
})

test('an identifier of MusicBrainz beats the name, and parts namesakes', async () => {
  const tracksOf = [
    await makeTrack(db),
    await makeTrack(db),
    await makeTrack(db),
    await makeTrack(db),
  ]
  const [rock, pop] = [mbid(), mbid()]
  const [plain, first, second, renamed] = tracksOf.map(({ trackId }) => trackId)
  await credit(plain!, { artists: ['Nirvana'] })
  // The first who has an identifier is who was known by the name alone.
  await credit(first!, { artists: ['Nirvana'], mbids: { Nirvana: rock } })
  await credit(second!, { artists: ['Nirvana'], mbids: { Nirvana: pop }, album: 'Chemistry' })
  await credit(renamed!, { artists: ['Nirvana UK'], mbids: { 'Nirvana UK': pop } })
  const idsOf = async (trackId: TrackId) =>
    (await db.select().from(trackArtists).where(eq(trackArtists.trackId, trackId))).map(
      ({ artistId }) => artistId,
    )
  expect(await idsOf(first!)).toEqual(await idsOf(plain!))
  expect(await idsOf(second!)).not.toEqual(await idsOf(first!))
  expect(await idsOf(renamed!)).toEqual(await idsOf(second!))
  expect((await creditsOf(second!)).album?.artist).toBe('Nirvana\u2063')
  expect(await db.select().from(artistMbids).where(eq(artistMbids.mbid, pop))).toEqual([
    { mbid: pop, artistId: ArtistId.parse((await idsOf(second!))[0]) },
  ])
})

test('two releases of one title are two albums, and one release is one album under two titles', async () => {
  const ids = []
  const [old, remastered] = [mbid(), mbid()]
  for (const [album, albumMbid] of [
    ['Blue', old],
    ['Blue', remastered],
    ['Blue (remastered)', remastered],
    ['Blue', undefined],
    ['BLUE', old],
  ] as const) {
    const { trackId } = await makeTrack(db)
    await credit(trackId, { artists: ['Joni'], album, albumMbid })
    ids.push((await creditsOf(trackId)).album?.id)
  }
  const [a, b, c, d, e] = ids
  expect(a).not.toBe(b)
  expect([c, d, e]).toEqual([b, expect.any(String), a])
  expect([a, b]).toContain(d)
})
