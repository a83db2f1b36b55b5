import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NAMESAKE_MARK, nameKey } from './contract/names.ts'
import { MIGRATIONS_FOLDER } from './migrate.ts'
import { readSqlSource } from './sql-source.ts'

const id = (digit: number) => `019a0000-0000-7000-8000-00000000000${digit}`

let client: PGlite
const run = async (name: string) =>
  client.exec(await readFile(join(MIGRATIONS_FOLDER, `${name}.sql`), 'utf8'))

/** A database of before, with an artist, an album and a track, and then migrated. */
beforeAll(async () => {
  client = new PGlite()
  for (const name of ['0000_tables', '0013_tags']) await run(name)
  await client.exec(`
    insert into artists (id, name) values ('${id(1)}', 'ＭØ'), ('${id(2)}', 'MØ'), ('${id(3)}', 'Straße');
    insert into albums (id, title, artist_id) values ('${id(1)}', 'The  Album', '${id(1)}');
    insert into tracks (id, title, album_id, tags) values
      ('${id(1)}', 'One', '${id(1)}', '{"discNumber": 2}'), ('${id(2)}', 'Two', null, '{"discNumber": null}');
    insert into track_artists (track_id, artist_id, position) values ('${id(1)}', '${id(1)}', 0)`)
  await run('0024_fold')
  await run('0025_names')
  const { files } = await readSqlSource()
  await client.exec(files.find(({ path }) => path === 'catalogue/names.sql')!.text)
}, 60_000)
afterAll(() => client.close())

const rows = async (statement: string) => (await client.query(statement)).rows

const credit = (role: string) =>
  client.query(
    `insert into track_artists (track_id, artist_id, role, position) values ('${id(2)}', '${id(1)}', $1, 0)`,
    [role],
  )

const share = (one: string, other: string) =>
  column('select deletions_v1($1) && deletions_v1($2) as it', [one, other])

async function column(statement: string, params: unknown[] = []): Promise<unknown> {
  return (await client.query<{ it: unknown }>(statement, params)).rows[0]?.it
}

test('artists, albums and tracks of before have aliases, album artists, roles and discs', async () => {
  // Of two with the same key, the older one: a full-width letter is the same letter.
  expect(await rows('select * from artist_aliases order by folded')).toEqual([
    { folded: 'mø', artist_id: id(1) },
    { folded: 'strasse', artist_id: id(3) },
  ])
  expect(await rows('select * from album_artists')).toEqual([
    { album_id: id(1), artist_id: id(1), position: 0 },
  ])
  expect(await rows('select * from album_aliases')).toEqual([
    { artist_id: id(1), folded: 'the album', album_id: id(1) },
  ])
  expect(await rows('select role from track_artists')).toEqual([{ role: 'main' }])
  expect(await rows('select disc_number from tracks order by id')).toEqual([
    { disc_number: 2 },
    { disc_number: null },
  ])
})

test('an artist may have several roles on a track, each once', async () => {
  await credit('main')
  await credit('composer')
  await expect(credit('composer')).rejects.toThrow(/track_artists_track_id_artist_id_role_pk/)
  await expect(credit('drummer')).rejects.toThrow(/track_artists_role_check/)
})

test('who makes an artist or an album as release 0.1.0 does makes aliases, too, and takes none away', async () => {
  await client.exec(`
    insert into artists (id, name) values ('${id(4)}', 'Strasse ${NAMESAKE_MARK}'), ('${id(5)}', 'New');
    insert into albums (id, title, artist_id) values ('${id(5)}', 'NEW', '${id(5)}');
    update artists set name = 'Newer' where id = '${id(5)}'`)
  for (const [folded, artist] of [
    ['strasse', id(3)],
    ['new', id(5)],
    ['newer', id(5)],
  ])
    expect(
      await column('select artist_id as it from artist_aliases where folded = $1', [folded]),
    ).toBe(artist)
  const album = 'select album_id as it from album_aliases where artist_id = $1 and folded = $2'
  expect(await column(album, [id(5), 'new'])).toBe(id(5))
  expect(
    await column('select artist_id as it from album_artists where album_id = $1', [id(5)]),
  ).toBe(id(5))
})

test.each([
  ['Mø', 'mø'],
  ['  The\u00a0 Beatles ', 'the beatles'],
  ['STRASSE', 'strasse'],
  ['Straße', 'strasse'],
  ['ΟΔΟΣ', 'οδοσ'],
  ['οδός', 'οδόσ'],
  ['ＡＢＣ ｶﾞ', 'abc ガ'],
  ['Beyonce\u0301', 'beyoncé'],
  ['ﬁne', 'fine'],
  ['!!!', '!!!'],
  ['Ёлка', 'ёлка'],
])('the key of %j is %j, in TypeScript and in SQL', async (name, key) => {
  expect(nameKey(name)).toBe(key)
  expect(nameKey(key)).toBe(key)
  expect(await column('select name_key_v1($1) as it', [name])).toBe(key)
})

test.each([
  ['AC/DC', 'ac dc', ['ac', 'acdc', 'dc']],
  ['P!nk', 'p nk', ['nk', 'p', 'pnk']],
  ["Don't Stop", 'don t stop', ['don', 'dont', 'stop', 't']],
  ['Beyoncé', 'beyonce', ['beyonce']],
  ['Ёлка Łódź Straße Ærø', 'елка lodz strasse aero', ['aero', 'lodz', 'strasse', 'елка']],
  ['İstanbul ışığı', 'istanbul isigi', ['isigi', 'istanbul']],
  ['أمّ كلثوم', 'ام كلثوم', ['ام', 'كلثوم']],
  ['می‌خواند', 'ميخواند', ['ميخواند']],
  ['שָׁלוֹם', 'שלום', ['שלום']],
  ['ＡＢＣ', 'abc', ['abc']],
  ['が か', 'が か', ['か', 'が']],
  ['夜に駆ける', '夜に駆ける', ['ける', 'に駆', '夜に', '夜に駆ける', '駆け']],
  ['봄날', '봄날', ['봄날']],
  ['हिन्दी गीत', 'हिन्दी गीत', ['गीत', 'हिन्दी']],
  ['!!!', '!!!', ['!!!']],
  [`Namesake${NAMESAKE_MARK}`, 'namesake', ['namesake']],
  ['', '', []],
])('%j is searched as %j and found by its words', async (name, spaced, words) => {
  expect(await column('select spaced_v1($1) as it', [name])).toBe(spaced)
  expect(await column('select squeezed_v1($1) as it', [name])).toBe(spaced.replaceAll(' ', ''))
  expect(new Set((await column('select words_v1($1) as it', [name])) as string[])).toEqual(
    new Set(words),
  )
})

test('words within one edit share a deletion, short ones share nothing', async () => {
  for (const other of ['spining', 'spinnning', 'spinninh', 'sipnning', 'pinning'])
    expect([other, await share('spinning', other)]).toEqual([other, true])
  expect(await share('spinning', 'sponing')).toBe(false)
  expect(await share('pnk', 'pik')).toBe(false)
})
