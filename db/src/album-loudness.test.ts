import { eq } from 'drizzle-orm'
import { beforeAll, afterAll, expect, test } from 'vitest'
import { AlbumId, ArtistId, newId, type TrackId } from './contract/ids.ts'
import { albumGain } from './contract/loudness.ts'
import { albums, artists, tracks } from './schema/index.ts'
import { makeTestDatabase, type TestDatabase } from './testing/database.ts'
import { makeTrack } from './testing/factories.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
}, 60_000)
afterAll(() => close())

async function makeAlbum(): Promise<AlbumId> {
  const id = newId(AlbumId)
  const artistId = newId(ArtistId)
  await db.insert(artists).values({ id: artistId, name: artistId })
  await db.insert(albums).values({ id, title: 'Album', artistId })
  return id
}

const heard = async (albumId: AlbumId) => {
  const [row] = await db
    .select({ lufs: albums.loudnessLufs, peak: albums.samplePeakDbfs })
    .from(albums)
    .where(eq(albums.id, albumId))
  return row!
}

async function add(
  albumId: AlbumId,
  loudnessLufs: number,
  samplePeakDbfs: number,
  durationS = 100,
) {
  const { trackId } = await makeTrack(db, { durationS })
  await db
    .update(tracks)
    .set({ albumId, loudnessLufs, samplePeakDbfs })
    .where(eq(tracks.id, trackId))
  return trackId
}

const change = (trackId: TrackId, values: Partial<typeof tracks.$inferInsert>) =>
  db.update(tracks).set(values).where(eq(tracks.id, trackId))

test("an album is as loud as its tracks' power over their time, whoever changes them", async () => {
  const albumId = await makeAlbum()
  expect(await heard(albumId)).toEqual({ lufs: null, peak: null })
  const loud = await add(albumId, -10, -1, 300)
  expect(await heard(albumId)).toEqual({ lufs: -10, peak: -1 })
  const soft = await add(albumId, -16, -4, 100)
  // 10·log((300·10^-1 + 100·10^-1.6)/400)
  expect((await heard(albumId)).lufs).toBeCloseTo(-10.9002, 3)

  await change(soft, { loudnessLufs: -10, samplePeakDbfs: 0.5 })
  expect((await heard(albumId)).lufs).toBeCloseTo(-10, 4)
  expect((await heard(albumId)).peak).toBeCloseTo(0.5, 4)
  await change(soft, { deletedAt: new Date() })
  expect(await heard(albumId)).toEqual({ lufs: -10, peak: -1 })
  const other = await makeAlbum()
  await change(loud, { albumId: other })
  expect(await heard(albumId)).toEqual({ lufs: null, peak: null })
  expect(await heard(other)).toEqual({ lufs: -10, peak: -1 })
  await change(loud, { publishedAt: null })
  expect(await heard(other)).toEqual({ lufs: null, peak: null })
})

test('silence and interludes far below the rest do not make an album softer', async () => {
  const albumId = await makeAlbum()
  await add(albumId, -10, -1)
  await add(albumId, -70, -90)
  await add(albumId, -35, -20, 400)
  expect((await heard(albumId)).lufs).toBeCloseTo(-10, 1)
})

test.each([
  ['as loud as the target asks', { loudnessLufs: -20, samplePeakDbfs: -12 }, 6],
  ['no higher than its peak leaves room', { loudnessLufs: -20, samplePeakDbfs: -3 }, 1.5],
  ['softer where it is loud', { loudnessLufs: -8.25, samplePeakDbfs: 0.2 }, -5.75],
  ['not without end', { loudnessLufs: -60, samplePeakDbfs: -55 }, 30],
  ['silent, with none', { loudnessLufs: null, samplePeakDbfs: null }, null],
])('an album is played %s', (_, album, gainDb) => {
  expect(albumGain(album)).toBe(gainDb)
})
