import type { AlbumId, ArtistId } from '@mist/db/contract'
import type { AlbumsQuery, AlbumWithTracks, ArtistsQuery, Genre } from '../contract/browse.ts'
import type { Album, Artist } from '../contract/catalogue.ts'
import type { Page } from '../contract/pages.ts'
import { Problem } from '../problem.ts'
import type { AlbumRepo } from '../repos/album-repo.ts'
import type { ArtistRepo } from '../repos/artist-repo.ts'
import type { GenreRepo } from '../repos/genre-repo.ts'
import type { TrackRepo } from '../repos/track-repo.ts'
import { pageThrough } from './paging.ts'
import { presentAlbum, presentArtist } from './present-catalogue.ts'
import { presentTrack } from './track-service.ts'

/** More genres than anybody looks through. */
const MAX_GENRES = 500

/** Artists, albums and genres. One that was merged into another leads to that one. */
export function makeBrowseService({
  artists,
  albums,
  genres,
  tracks,
}: {
  artists: ArtistRepo
  albums: AlbumRepo
  genres: GenreRepo
  tracks: TrackRepo
}) {
  async function findArtist(id: ArtistId) {
    const row = await artists.find(id)
    if (!row) throw new Problem('not-found', 'There is no such artist.')
    return row
  }

  return {
    artists(query: ArtistsQuery, mediaBase: string): Promise<Page<Artist>> {
      return pageThrough(
        query,
        (limit, after) => artists.list(query.sort, limit, after),
        (row) => ({ at: row.cursorAt, id: row.id }),
        (row) => presentArtist(row, mediaBase),
        query.sort === 'name' ? 'name' : 'instant',
      )
    },

    async artist(id: ArtistId, mediaBase: string): Promise<Artist> {
      return presentArtist(await findArtist(id), mediaBase)
    },

    /** Whom an id of an artist means: itself, or that of whom it was merged into. */
    async artistId(id: ArtistId): Promise<ArtistId> {
      return (await findArtist(id)).id
    },

    albums(query: AlbumsQuery, mediaBase: string): Promise<Page<Album>> {
      return pageThrough(
        query,
        (limit, after) => albums.list(query, query.sort, limit, after),
        (row) => ({ at: row.cursorAt, id: row.id }),
        (row) => presentAlbum(row, mediaBase),
        query.sort === 'title' ? 'name' : 'instant',
      )
    },

    async album(id: AlbumId, mediaBase: string): Promise<AlbumWithTracks> {
      const row = await albums.find(id)
      if (!row) throw new Problem('not-found', 'There is no such album.')
      const own = await tracks.ofAlbum(row.id)
      return {
        ...presentAlbum(row, mediaBase),
        tracks: own.map((track) => presentTrack(track, mediaBase)),
      }
    },

    genres: (): Promise<Genre[]> => genres.list(MAX_GENRES),
  }
}
