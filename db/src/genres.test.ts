import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TrackId } from './contract/ids.ts'
import { genres, trackGenres, tracks } from './schema/index.ts'
import { makeTestDatabase, makeTrack, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
})
afterAll(() => close())
beforeEach(async () => {
  await db.execute(sql`truncate genres, tracks cascade`)
})

async function makeTagged(...names: string[]): Promise<TrackId> {
  const { trackId } = await makeTrack(db)
  await db.update(tracks).set({ genres: names }).where(eq(tracks.id, trackId))
  return trackId
}

async function genresOf(trackId: TrackId): Promise<string[]> {
  const rows = await db
    .select({ name: genres.name })
    .from(trackGenres)
    .innerJoin(genres, eq(genres.slug, trackGenres.slug))
    .where(eq(trackGenres.trackId, trackId))
    .orderBy(trackGenres.position)
  return rows.map(({ name }) => name)
}

test('a genre has the first of its spellings, whoever writes it how', async () => {
  await makeTagged('Hip-Hop', 'Drum & Bass')
  const trackId = await makeTagged('drum and bass', 'hiphop', 'HIP HOP', 'R&B')
  expect(await genresOf(trackId)).toEqual(['Drum & Bass', 'Hip-Hop', 'R&B'])
  expect((await db.select().from(genres).orderBy(genres.slug)).map(({ slug }) => slug)).toEqual([
    'drum-and-bass',
    'hip-hop',
    'r-and-b',
  ])
})

test('genres of other scripts are genres, and signs alone are, too', async () => {
  const trackId = await makeTagged('ジャズ', 'Шансон', '???')
  expect(await genresOf(trackId)).toEqual(['ジャズ', 'Шансон', '???'])
})

test('a track has the genres that were written last, and keeps what was written', async () => {
  const trackId = await makeTagged('Jazz', 'Blues')
  await db
    .update(tracks)
    .set({ genres: ['blues', 'Soul'] })
    .where(eq(tracks.id, trackId))
  expect(await genresOf(trackId)).toEqual(['Blues', 'Soul'])
  const [row] = await db.select({ genres: tracks.genres }).from(tracks)
  expect(row?.genres).toEqual(['blues', 'Soul'])
})
