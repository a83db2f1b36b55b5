import type pg from 'pg'
import { z } from 'zod'

/** Entries made in one statement. */
const BATCH = 5000

const Ids = z.array(z.object({ id: z.string() }))

/** Makes what triggers would have kept while a catalogue was loaded: album artists, genres, and what is searched. */
export async function fillSearch(client: pg.Client): Promise<void> {
  await client.query(`
    insert into album_artists (album_id, artist_id, position) select id, artist_id, 0 from albums
    on conflict do nothing`)
  await client.query(`
    alter table tracks enable always trigger tracks_keep_genres;
    update tracks set genres = genres;
    alter table tracks enable trigger tracks_keep_genres;
    analyze`)
  for (const table of ['tracks', 'artists', 'albums']) {
    const ids = Ids.parse((await client.query(`select id from ${table} order by id`)).rows)
    for (let at = 0; at < ids.length; at += BATCH)
      await client.query(`select refresh_search_${table}($1)`, [
        ids.slice(at, at + BATCH).map(({ id }) => id),
      ])
  }
  // Who is played how often, as far as it is known.
  await client.query(`
    update search_entries e set plays = n.plays from track_totals n
    where e.type = 'track' and e.id = n.track_id`)
}
