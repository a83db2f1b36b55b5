import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { expect, test } from 'vitest'
import { MIGRATIONS_FOLDER } from './migrate.ts'

const id = (digit: number) => `019a0000-0000-7000-8000-00000000000${digit}`

test('what older tracks say otherwise than their files counts as written by an admin', async () => {
  const client = new PGlite({ extensions: { vector, pg_trgm } })
  const run = async (name: string) =>
    client.exec(await readFile(join(MIGRATIONS_FOLDER, `${name}.sql`), 'utf8'))
  for (const name of ['0000_tables', '0013_tags']) await run(name)
  const tags = JSON.stringify({
    title: 'Title',
    artists: ['A', 'b'],
    album: 'Album',
    genres: ['Jazz'],
    year: 1999,
    trackNumber: null,
  })
  await client.exec(`
    insert into artists (id, name) values ('${id(1)}', 'a'), ('${id(2)}', 'B'), ('${id(3)}', 'Unknown artist');
    insert into albums (id, title, artist_id) values ('${id(1)}', 'ALBUM', '${id(1)}');
    insert into uploads (id, filename, size_bytes, content_type, metadata, object_key, expires_at) values
      ('${id(1)}', 'some_file.mp3', 1, '', '{}', 'k', now()),
      ('${id(2)}', 'some_file.mp3', 1, '', '{"genres": ["Jazz"]}', 'k', now());
    insert into tracks (id, title, album_id, year, track_number, genres, attribution, tags, upload_id, published_at) values
      ('${id(1)}', 'Title', '${id(1)}', 1999, null, '{Jazz}', null, '${tags}', '${id(1)}', now()),
      ('${id(2)}', 'Other', null, 1999, 4, '{Jazz}', 'Me', '${tags}', '${id(2)}', now()),
      ('${id(3)}', 'some file', null, null, null, '{}', null, null, '${id(1)}', now()),
      ('${id(4)}', 'Named', '${id(1)}', 2000, 1, '{Jazz}', null, null, null, now());
    insert into track_artists (track_id, artist_id, position) values
      ('${id(1)}', '${id(1)}', 0), ('${id(1)}', '${id(2)}', 1), ('${id(2)}', '${id(2)}', 0),
      ('${id(3)}', '${id(3)}', 0), ('${id(4)}', '${id(1)}', 0)`)
  await run('0020_file_tags')
  const { rows } = await client.query('select edited_fields from tracks order by id')
  expect(rows).toEqual([
    { edited_fields: [] },
    { edited_fields: ['artists', 'attribution', 'genres', 'title', 'trackNumber'] },
    { edited_fields: [] },
    { edited_fields: ['album', 'artists', 'genres', 'title', 'trackNumber', 'year'] },
  ])
  await client.close()
}, 60_000)
