import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { albums, artistAliases, artists, searchWords, tracks } from './schema/index.ts'
import { creditTrack, deleteTrack } from './statements/index.ts'
import { makeTestDatabase, makeTrack, type TestDatabase } from './testing/index.ts'
import type { TrackId } from './contract/ids.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
})
afterAll(() => close())
beforeEach(async () => {
  await db.execute(sql`truncate tracks, artists, albums, search_entries, search_words cascade`)
})

async function makeCredited(title: string, artist: string, album?: string): Promise<TrackId> {
  const { trackId } = await makeTrack(db, { title })
  for (const statement of creditTrack(trackId, { artists: [artist], album }))
    await db.execute(statement)
  return trackId
}

/** All entries, as `type: name (context)`. */
async function entries(): Promise<string[]> {
  const { rows } = await db.execute<{ it: string }>(
    sql`select type || ': ' || name || ' (' || context || ')' as it from search_entries order by 1`,
  )
  return rows.map(({ it }) => it)
}

/** Types of the entries that have a word. */
async function found(word: string): Promise<string[]> {
  const { rows } = await db.execute<{ type: string }>(
    sql`select type from search_entries where words @@ to_tsquery('simple', ${word}) order by type`,
  )
  return rows.map(({ type }) => type)
}

test('a track is found by its title, artists and album, these by themselves', async () => {
  await makeCredited('Déjà Vu', 'AC/DC', 'Back')
  expect(await entries()).toEqual([
    'album: back (ac dc)',
    'artist: ac dc ()',
    'track: deja vu (ac dc back)',
  ])
  expect(await found('acdc')).toEqual(['album', 'artist', 'track'])
  expect(await found('deja')).toEqual(['track'])
  const known = await db.select().from(searchWords).where(eq(searchWords.word, 'deja'))
  expect(new Set(known[0]?.deletions)).toEqual(new Set(['deja', 'eja', 'dja', 'dea', 'dej']))
})

test('what is not published, or deleted, is not found, nor are its album and artist alone', async () => {
  const trackId = await makeCredited('One', 'Ada', 'First')
  await db.update(tracks).set({ publishedAt: null }).where(eq(tracks.id, trackId))
  expect(await entries()).toEqual([])
  await db.update(tracks).set({ publishedAt: new Date() }).where(eq(tracks.id, trackId))
  expect(await entries()).toHaveLength(3)
  const other = await makeCredited('Two', 'Ada', 'First')
  await db.execute(deleteTrack(trackId, new Date()))
  expect(await entries()).toEqual([
    'album: first (ada)',
    'artist: ada ()',
    'track: two (ada first)',
  ])
  await db.execute(deleteTrack(other, new Date()))
  expect(await entries()).toEqual([])
})

test('a new title or name is found everywhere at once, the old one no more', async () => {
  const trackId = await makeCredited('One', 'Ada', 'First')
  await db.update(tracks).set({ title: 'Uno' }).where(eq(tracks.id, trackId))
  await db.update(albums).set({ title: 'Primo' })
  expect(await entries()).toEqual([
    'album: primo (ada)',
    'artist: ada ()',
    'track: uno (ada primo)',
  ])
  await db.update(artists).set({ name: 'Eva' })
  expect(await entries()).toEqual([
    'album: primo (eva)',
    'artist: eva (ada)',
    'track: uno (eva primo)',
  ])
  expect(await found('ada')).toEqual(['artist'])
})

test('new credits move a track, its album and its artists', async () => {
  const trackId = await makeCredited('One', 'Ada', 'First')
  for (const statement of creditTrack(trackId, { artists: ['Bo'], album: 'Second' }))
    await db.execute(statement)
  expect(await entries()).toEqual(['album: second (bo)', 'artist: bo ()', 'track: one (bo second)'])
})

test('an artist is found by another name that means them', async () => {
  await makeCredited('One', 'Prince')
  const [artist] = await db.select().from(artists)
  await db.insert(artistAliases).values({ folded: 'the symbol', artistId: artist!.id })
  expect(await entries()).toContain('artist: prince (the symbol)')
  expect(await found('thesymbol')).toEqual(['artist'])
})
