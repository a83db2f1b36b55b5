import { sql, type SQL } from 'drizzle-orm'
import { AlbumId, ArtistId, newId, type TrackId } from '../contract/ids.ts'

/** Whose a track is; what is not given stays. */
export type TrackCredits = {
  /** In order; none is the same as not given. */
  artists?: readonly string[] | undefined
  album?: string | undefined
  /** Whose album it is; see {@link creditTrack} for what holds where nobody says. */
  albumArtist?: string | undefined
  /** Of the album, where it has none yet. */
  year?: number | undefined
}

/**
 * Finds or makes artists and the album by name, whatever its case, and gives them to a track. To be run in
 * order, in one transaction; they do nothing where the track is gone.
 *
 * An album is found within its album artist. Where none is named, an album that is not the first artist's
 * stays whose it is (a compilation that is renamed); else it is the first artist's.
 */
export function creditTrack(trackId: TrackId, credits: TrackCredits): SQL[] {
  const { artists = [], album, albumArtist, year } = credits
  const names = [...artists, ...(album !== undefined && albumArtist ? [albumArtist] : [])]
  const isThere = sql`exists (select from tracks where id = ${trackId} and deleted_at is null)`
  const statements: SQL[] = []
  if (names.length > 0)
    statements.push(sql`
      insert into artists (id, name)
      select distinct on (lower(n.name)) n.id, n.name from ${named(names)}
      where ${isThere}
      -- In one order for all, so that two transactions can't wait for one another.
      order by lower(n.name), n.position
      on conflict (lower(name)) do nothing`)
  if (album !== undefined)
    statements.push(albumStatement(trackId, { artists, album, albumArtist, year }))
  if (artists.length > 0)
    statements.push(
      sql`delete from track_artists where track_id = ${trackId} and ${isThere}`,
      sql`
      insert into track_artists (track_id, artist_id, position)
      select ${trackId}::uuid, a.id, row_number() over (order by min(n.position)) - 1
      from ${named(artists)} join artists a on lower(a.name) = lower(n.name)
      where ${isThere}
      group by a.id`,
    )
  return statements
}

/** Names in their order, each with an id for the artist that may have to be made: rows `n`. */
function named(names: readonly string[]): SQL {
  const rows = names.map((name, position) => ({ id: newId(ArtistId), name, position }))
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(id uuid, name text, position int)`
}

const artistNamed = (name: string | undefined): SQL =>
  sql`(select id from artists where lower(name) = lower(${name ?? null}::text))`

/** Finds or makes the album and puts the track on it; the artists are there, the track's still the old. */
function albumStatement(
  trackId: TrackId,
  { artists, album, albumArtist, year }: TrackCredits & { album: string },
): SQL {
  const firstArtist = sql`(
    select artist_id from track_artists where track_id = ${trackId} order by position limit 1
  )`
  return sql`
    with owner as (
      select coalesce(
        ${artistNamed(albumArtist)},
        (select al.artist_id from tracks t join albums al on al.id = t.album_id
         where t.id = ${trackId} and al.artist_id is distinct from ${firstArtist}),
        ${artistNamed(artists?.[0])},
        ${firstArtist}
      ) as id
    ), found as (
      insert into albums (id, title, artist_id, year)
      select ${newId(AlbumId)}::uuid, ${album}::text, owner.id, ${year ?? null}::integer from owner
      where owner.id is not null
        and exists (select from tracks where id = ${trackId} and deleted_at is null)
      on conflict (artist_id, lower(title)) do update set year = coalesce(albums.year, excluded.year)
      returning id
    )
    update tracks set album_id = found.id from found where tracks.id = ${trackId}`
}
