import type pg from 'pg'
import { makeCatalogue } from '../names/make-catalogue.ts'

/** Rows that go in one statement. */
const BATCH = 5000

/** Collects rows and writes them to one table, many in one statement. */
function makeTableWriter<C extends string>(
  client: pg.Client,
  table: string,
  columns: Record<C, string>,
) {
  const names = Object.keys(columns).join()
  const typed = Object.entries(columns).map(([name, type]) => `${name} ${String(type)}`)
  const insert = `insert into ${table} (${names})
    select ${names} from json_to_recordset($1::json) as r(${typed.join()})`
  let rows: Record<C, unknown>[] = []
  async function flush(): Promise<void> {
    const batch = rows
    rows = []
    if (batch.length > 0) await client.query(insert, [JSON.stringify(batch)])
  }
  return {
    async add(row: Record<C, unknown>): Promise<void> {
      rows.push(row)
      if (rows.length >= BATCH) await flush()
    },
    flush,
  }
}

/** When a thing with this UUIDv7 was made (RFC 9562 §5.7). */
const instantOf = (id: string) => new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))

/**
 * Fills an empty database with published tracks of plausible names. The client should have its triggers
 * off: what they keep is made anew afterwards, which is faster by far.
 */
export async function loadTracks(
  client: pg.Client,
  { seed, tracks: wanted }: { seed: number; tracks: number },
): Promise<void> {
  const artists = makeTableWriter(client, 'artists', { id: 'uuid', name: 'text' })
  const albums = makeTableWriter(client, 'albums', {
    id: 'uuid',
    title: 'text',
    artist_id: 'uuid',
    year: 'integer',
  })
  const tracks = makeTableWriter(client, 'tracks', {
    id: 'uuid',
    title: 'text',
    album_id: 'uuid',
    track_number: 'integer',
    year: 'integer',
    genres: 'text[]',
    duration_s: 'float8',
    tempo_bpm: 'real',
    version: 'integer',
    created_at: 'timestamptz',
    published_at: 'timestamptz',
  })
  const credits = makeTableWriter(client, 'track_artists', {
    track_id: 'uuid',
    artist_id: 'uuid',
    position: 'integer',
  })
  for (const { artist, isNew, albums: own } of makeCatalogue({ seed, tracks: wanted })) {
    if (isNew) await artists.add({ id: artist.id, name: artist.name })
    for (const album of own) {
      const { id, title, year } = album
      await albums.add({ id, title, artist_id: artist.id, year })
      for (const track of album.tracks) {
        const at = instantOf(track.id)
        await tracks.add({
          id: track.id,
          title: track.title,
          album_id: id,
          track_number: track.trackNumber,
          year,
          genres: track.genres,
          duration_s: track.durationS,
          tempo_bpm: track.tempoBpm,
          version: 1,
          created_at: at,
          published_at: at,
        })
        for (const [position, credit] of track.artists.entries())
          await credits.add({ track_id: track.id, artist_id: credit.id, position })
      }
    }
  }
  for (const writer of [artists, albums, tracks, credits]) await writer.flush()
}
