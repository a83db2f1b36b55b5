import { AlbumId, ArtistId, newId, type TrackId } from '@mist/db/contract'
import { trackArtists, tracks } from '@mist/db/schema'
import { asc, eq, sql } from 'drizzle-orm'
import type { Transaction } from '../../platform/database.ts'
import { UNKNOWN_ARTIST, type Description } from './describe.ts'

/** Writes what is to change of a track's description; what is not given stays as it is. */
export async function describeTrack(
  tx: Transaction,
  trackId: TrackId,
  description: Description,
): Promise<void> {
  const { title, artists, album, albumArtist, genres, year, trackNumber, attribution } = description
  const ofAlbum = typeof album === 'string' && albumArtist !== null ? [albumArtist] : []
  const ids = await artistIds(tx, [...(artists ?? []), ...ofAlbum])
  if (artists !== undefined && artists.length > 0) {
    await tx.delete(trackArtists).where(eq(trackArtists.trackId, trackId))
    const credited = new Set(artists.map((_, index) => ids[index]!))
    await tx
      .insert(trackArtists)
      .values([...credited].map((artistId, position) => ({ trackId, artistId, position })))
  }
  const albumId =
    typeof album === 'string'
      ? await albumIdOf(
          tx,
          album,
          ofAlbum.length > 0 ? ids.at(-1)! : await firstArtistId(tx, trackId),
          year ?? null,
        )
      : album
  const change = { title, albumId, genres, year, trackNumber, attribution }
  if (Object.values(change).some((value) => value !== undefined)) {
    await tx.update(tracks).set(change).where(eq(tracks.id, trackId))
  }
}

/** Finds or makes artists by name, whatever its case, in the order of `names`. */
async function artistIds(tx: Transaction, names: readonly string[]): Promise<ArtistId[]> {
  const found = new Map<string, ArtistId>()
  // In one order for all, so that two publications can't wait for one another.
  for (const name of [...new Set(names)].sort()) {
    const { rows } = await tx.execute<{ id: string }>(sql`
      insert into artists (id, name) values (${newId(ArtistId)}, ${name})
      on conflict (lower(name)) do update set name = artists.name returning id`)
    found.set(name, ArtistId.parse(rows[0]?.id))
  }
  return names.map((name) => found.get(name)!)
}

/** Whose album a track's is where nothing else is said. */
async function firstArtistId(tx: Transaction, trackId: TrackId): Promise<ArtistId> {
  const [first] = await tx
    .select({ id: trackArtists.artistId })
    .from(trackArtists)
    .where(eq(trackArtists.trackId, trackId))
    .orderBy(asc(trackArtists.position))
    .limit(1)
  return first?.id ?? (await artistIds(tx, [UNKNOWN_ARTIST]))[0]!
}

async function albumIdOf(
  tx: Transaction,
  title: string,
  artistId: ArtistId,
  year: number | null,
): Promise<AlbumId> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    insert into albums (id, title, artist_id, year)
    values (${newId(AlbumId)}, ${title}, ${artistId}, ${year})
    on conflict (artist_id, lower(title)) do update set year = coalesce(albums.year, excluded.year)
    returning id`)
  return AlbumId.parse(rows[0]?.id)
}
