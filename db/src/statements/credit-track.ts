import { sql, type SQL } from 'drizzle-orm'
import { AlbumId, ArtistId, newId, type TrackId } from '../contract/ids.ts'
import { nameKey } from '../contract/names.ts'

/** Whose a track is; what is not given stays. */
export type TrackCredits = {
  /** In order; none is the same as not given. */
  artists?: readonly string[] | undefined
  album?: string | undefined
  /** Whose album it is; see {@link creditTrack} for what holds where nobody says. */
  albumArtist?: string | undefined
  /** Of the album, where it has none yet. */
  year?: number | undefined
  /** Identifiers of MusicBrainz's, by the names of artists that have one. */
  mbids?: Readonly<Record<string, string>> | undefined
  /** The album's, of its release. */
  albumMbid?: string | undefined
}

/**
 * Finds or makes artists and the album, and gives them to a track: by MusicBrainz's identifiers, else by what
 * their names mean (`artist_of` and `album_of` in db/sql). To be run in order, in one transaction; they do
 * nothing where the track is gone.
 *
 * An album is found within its album artist. Where none is named, an album that is not the first artist's
 * stays whose it is (a compilation that is renamed); else it is the first artist's.
 */
export function creditTrack(trackId: TrackId, credits: TrackCredits): SQL[] {
  const { artists = [], album, albumArtist } = credits
  const mbids = credits.mbids ?? {}
  const names = [...artists, ...(album !== undefined && albumArtist ? [albumArtist] : [])]
  const isThere = sql`exists (select from tracks where id = ${trackId} and deleted_at is null)`
  const statements: SQL[] = []
  if (names.length > 0)
    statements.push(sql`
      select ${ARTIST_OF} from ${named(names, mbids)}
      where ${isThere}
      -- In one order for all, so that two transactions can't wait for one another.
      order by n.key, n.position`)
  if (album !== undefined)
    statements.push(albumStatement(trackId, { ...credits, artists, album, mbids }))
  if (artists.length > 0)
    statements.push(
      sql`delete from track_artists where track_id = ${trackId} and ${isThere}`,
      sql`
      insert into track_artists (track_id, artist_id, position)
      select ${trackId}::uuid, a.id, row_number() over (order by min(a.position)) - 1
      from (select ${ARTIST_OF} as id, n.position from ${named(artists, mbids)} where ${isThere} offset 0) a
      group by a.id`,
    )
  return statements
}

const ARTIST_OF = sql.raw('artist_of(n.id, n.name, n.key, n.mbid)')

/** Names in their order, each with an id for the artist that may have to be made: rows `n`. */
function named(names: readonly string[], mbids: Readonly<Record<string, string>>): SQL {
  const rows = names.map((name, position) => ({
    id: newId(ArtistId),
    name,
    key: nameKey(name),
    mbid: mbids[name] ?? null,
    position,
  }))
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
    as n(id uuid, name text, key text, mbid uuid, position int)`
}

/** Finds or makes the album and puts the track on it; the artists are there, the track's still the old. */
function albumStatement(
  trackId: TrackId,
  {
    artists,
    album,
    albumArtist,
    year,
    mbids,
    albumMbid,
  }: TrackCredits & { artists: readonly string[]; album: string; mbids: Record<string, string> },
): SQL {
  const artistOf = (name: string | undefined): SQL =>
    name === undefined ? sql`null::uuid` : sql`(select ${ARTIST_OF} from ${named([name], mbids)})`
  const firstArtist = sql`(
    select artist_id from track_artists where track_id = ${trackId} order by position limit 1
  )`
  return sql`
    with owner as materialized (
      select coalesce(
        ${artistOf(albumArtist || undefined)},
        (select al.artist_id from tracks t join albums al on al.id = t.album_id
         where t.id = ${trackId} and al.artist_id is distinct from ${firstArtist}),
        ${artistOf(artists[0])},
        ${firstArtist}
      ) as id
      where exists (select from tracks where id = ${trackId} and deleted_at is null)
    ), found as materialized (
      select album_of(${newId(AlbumId)}::uuid, owner.id, ${album}::text, ${nameKey(album)}::text,
        ${albumMbid ?? null}::uuid, ${year ?? null}::integer) as id
      from owner where owner.id is not null
    )
    update tracks set album_id = found.id from found where tracks.id = ${trackId}`
}
