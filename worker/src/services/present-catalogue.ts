import { COVER_SIZES, coverKey } from '@mist/db/contract'
import type { Album, Artist, CoverUrls } from '../contract/catalogue.ts'
import type { AlbumRow } from '../repos/album-repo.ts'
import type { ArtistRow } from '../repos/artist-repo.ts'
import type { CoverOf } from '../repos/rows.ts'

/** Where a cover is; `mediaBase` is the absolute URL that media keys are appended to. */
export function presentCover(cover: CoverOf, mediaBase: string): CoverUrls | null {
  if (cover === null) return null
  const [small, medium, large] = COVER_SIZES
  const at = (size: (typeof COVER_SIZES)[number]) =>
    `${mediaBase}/${coverKey(cover.trackId, cover.version, size)}`
  return { '96': at(small), '320': at(medium), '800': at(large) }
}

export function presentArtist(row: ArtistRow, mediaBase: string): Artist {
  const { id, name, sortName, cover, genres, counts } = row
  return { id, name, sortName, coverUrls: presentCover(cover, mediaBase), genres, ...counts }
}

export function presentAlbum(row: AlbumRow, mediaBase: string): Album {
  const { id, title, artists, year, kind, cover, sums } = row
  return { id, title, artists, year, kind, coverUrls: presentCover(cover, mediaBase), ...sums }
}
