import type { AlbumId } from '@mist/db/contract'
import { albums } from '@mist/db/schema'
import { and, inArray, sql, type SQL } from 'drizzle-orm'
import type { AlbumFilter, AlbumsQuery } from '../contract/browse.ts'
import type { ArtistName } from '../contract/catalogue.ts'
import type { Keyset } from '../contract/pages.ts'
import type { Database } from '../platform/database.ts'
import {
  type CoverOf,
  exactInstant,
  isAfter,
  isAfterName,
  nameOrder,
  shownName,
  latestFirst,
} from './rows.ts'

/** What listeners may see of `albums`: those of which a track is published. */
const ALBUM_IS_PUBLIC = sql`albums.merged_into is null and exists (
  select from tracks t
  where t.album_id = albums.id and t.published_at is not null and t.deleted_at is null
)`

/** What is selected of `albums` where albums are shown. */
const ALBUM = {
  id: albums.id,
  title: shownName(albums.title).as('shown_title'),
  artists: sql<ArtistName[]>`coalesce((
    select json_agg(json_build_object('id', a.id, 'name', ${shownName(sql`a.name`)}) order by aa.position)
    from album_artists aa join artists a on a.id = aa.artist_id where aa.album_id = albums.id
  ), '[]')`.as('artists'),
  // The year that most of its tracks say, where nobody says it of the album.
  year: sql<number | null>`coalesce(albums.year, (
    select mode() within group (order by t.year) from tracks t
    where t.album_id = albums.id and t.published_at is not null and t.deleted_at is null
  ))`.as('shown_year'),
  kind: albums.kind,
  cover: sql<CoverOf>`(
    select json_build_object('trackId', t.id, 'version', t.cover_version) from tracks t
    where t.album_id = albums.id and t.cover_version is not null
      and t.published_at is not null and t.deleted_at is null
    order by t.id = albums.cover_track_id desc nulls last, t.disc_number nulls first, t.track_number, t.id
    limit 1
  )`.as('cover'),
  sums: sql<{ durationS: number; trackCount: number }>`(
    select json_build_object('durationS', coalesce(sum(t.duration_s), 0), 'trackCount', count(*))
    from tracks t
    where t.album_id = albums.id and t.published_at is not null and t.deleted_at is null
  )`.as('sums'),
}
const BY_NAME = nameOrder(albums.title)

function passes({ artistId, genre }: AlbumFilter): SQL | undefined {
  return and(
    artistId === undefined
      ? undefined
      : sql`exists (
          select from album_artists aa where aa.album_id = albums.id and aa.artist_id = ${artistId}
        )`,
    genre === undefined
      ? undefined
      : sql`exists (
          select from tracks t
          join track_genres tg on tg.track_id = t.id join genre_aliases ga on ga.slug = tg.slug
          where t.album_id = albums.id and t.published_at is not null and t.deleted_at is null
            and ga.folded = replace(genre_slug_v1(${genre}), '-', '')
        )`,
  )
}

export type AlbumRow = Awaited<ReturnType<AlbumRepo['byIds']>>[number]

export function makeAlbumRepo({ db }: { db: Database }) {
  return {
    /** Public albums of what is asked for, after `after`. */
    list: (filter: AlbumFilter, sort: AlbumsQuery['sort'], limit: number, after: Keyset | null) =>
      sort === 'title'
        ? db
            .select({ ...ALBUM, cursorAt: BY_NAME.as('cursor_at') })
            .from(albums)
            .where(and(ALBUM_IS_PUBLIC, passes(filter), isAfterName(BY_NAME, albums.id, after)))
            .orderBy(BY_NAME, albums.id)
            .limit(limit)
        : db
            .select({ ...ALBUM, cursorAt: exactInstant(albums.createdAt).as('cursor_at') })
            .from(albums)
            .where(
              and(ALBUM_IS_PUBLIC, passes(filter), isAfter(albums.createdAt, albums.id, after)),
            )
            .orderBy(...latestFirst(albums.createdAt, albums.id))
            .limit(limit),

    /** A public one, or whom it was merged into; null where there is neither. */
    async find(id: AlbumId) {
      const [row] = await db
        .select(ALBUM)
        .from(albums)
        .where(
          and(
            sql`albums.id = coalesce((select o.merged_into from albums o where o.id = ${id}), ${id})`,
            ALBUM_IS_PUBLIC,
          ),
        )
      return row ?? null
    },

    /** Public ones of these, in any order. */
    byIds: (ids: readonly AlbumId[]) =>
      db
        .select(ALBUM)
        .from(albums)
        .where(sql`${inArray(albums.id, [...ids])} and ${ALBUM_IS_PUBLIC}`),
  }
}

export type AlbumRepo = ReturnType<typeof makeAlbumRepo>
