import type { TrackId } from '@mist/db/contract'
import { tracks } from '@mist/db/schema'
import { creditTrack } from '@mist/db/statements'
import { eq } from 'drizzle-orm'
import type { Transaction } from '../../platform/database.ts'
import type { Description } from './describe.ts'

/** Writes what is to change of a track's description; what is not given stays as it is. */
export async function describeTrack(
  tx: Transaction,
  trackId: TrackId,
  { album, artists, albumArtist, mbids, albumMbid, ...description }: Description,
): Promise<void> {
  const { title, genres, year, trackNumber, attribution } = description
  const credits = {
    artists,
    album: album ?? undefined,
    albumArtist,
    year: year ?? undefined,
    mbids,
    albumMbid,
  }
  for (const statement of creditTrack(trackId, credits)) await tx.execute(statement)
  const isOffAlbum = album === null
  const change = {
    title,
    genres,
    year,
    trackNumber,
    attribution,
    ...(isOffAlbum && { albumId: null }),
  }
  if (Object.values(change).some((value) => value !== undefined)) {
    await tx.update(tracks).set(change).where(eq(tracks.id, trackId))
  }
}
