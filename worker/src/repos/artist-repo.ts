import type { ArtistId } from '@mist/db/contract'
import { artists } from '@mist/db/schema'
import { and, inArray, sql } from 'drizzle-orm'
import type { ArtistsQuery } from '../contract/browse.ts'
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

/** The public tracks of `artists`, whatever they did on them. */
const OWN_TRACKS = sql`track_artists ta join tracks t on t.id = ta.track_id
  and ta.artist_id = artists.id and t.published_at is not null and t.deleted_at is null`

/** What listeners may see of `artists`: those of whom a track is published. */
const ARTIST_IS_PUBLIC = sql`artists.merged_into is null and exists (select from ${OWN_TRACKS})`

/** What is selected of `artists` where artists are shown. */
const ARTIST = {
  id: artists.id,
  name: shownName(artists.name).as('shown_name'),
  sortName: sql<string>`coalesce(artists.sort_name, ${shownName(artists.name)})`.as(
    'shown_sort_name',
  ),
  /** Of the newest track that has one. */
  cover: sql<CoverOf>`(
    select json_build_object('trackId', t.id, 'version', t.cover_version) from ${OWN_TRACKS}
    where t.cover_version is not null order by t.created_at desc, t.id desc limit 1
  )`.as('cover'),
  genres: sql<string[]>`array(
    select g.name from ${OWN_TRACKS}
    join track_genres tg on tg.track_id = t.id join genres g on g.slug = tg.slug
    group by g.slug order by count(*) desc, g.slug limit 5
  )`.as('genres'),
  counts: sql<{ trackCount: number; albumCount: number; playCount: number }>`(
    select json_build_object(
      'trackCount', count(distinct t.id),
      'albumCount', (
        select count(*) from album_artists aa
        where aa.artist_id = artists.id and exists (
          select from tracks t
          where t.album_id = aa.album_id and t.published_at is not null and t.deleted_at is null
        )
      ),
      'playCount', coalesce((
        select sum(n.plays) from track_totals n where n.track_id in (
          select ta.track_id from ${OWN_TRACKS} where ta.role in ('main', 'featured')
        )
      ), 0)
    ) from ${OWN_TRACKS}
  )`.as('counts'),
}
const BY_NAME = nameOrder(sql`coalesce(artists.sort_name, artists.name)`)

export type ArtistRow = Awaited<ReturnType<ArtistRepo['byIds']>>[number]

export function makeArtistRepo({ db }: { db: Database }) {
  return {
    /** Public artists, after `after`. */
    list: (sort: ArtistsQuery['sort'], limit: number, after: Keyset | null) =>
      sort === 'name'
        ? db
            .select({ ...ARTIST, cursorAt: BY_NAME.as('cursor_at') })
            .from(artists)
            .where(and(ARTIST_IS_PUBLIC, isAfterName(BY_NAME, artists.id, after)))
            .orderBy(BY_NAME, artists.id)
            .limit(limit)
        : db
            .select({ ...ARTIST, cursorAt: exactInstant(artists.createdAt).as('cursor_at') })
            .from(artists)
            .where(and(ARTIST_IS_PUBLIC, isAfter(artists.createdAt, artists.id, after)))
            .orderBy(...latestFirst(artists.createdAt, artists.id))
            .limit(limit),

    /** A public one, or whom it was merged into; null where there is neither. */
    async find(id: ArtistId) {
      const [row] = await db
        .select(ARTIST)
        .from(artists)
        .where(
          and(
            sql`artists.id = coalesce((select o.merged_into from artists o where o.id = ${id}), ${id})`,
            ARTIST_IS_PUBLIC,
          ),
        )
      return row ?? null
    },

    /** Public ones of these, in any order. */
    byIds: (ids: readonly ArtistId[]) =>
      db
        .select(ARTIST)
        .from(artists)
        .where(sql`${inArray(artists.id, [...ids])} and ${ARTIST_IS_PUBLIC}`),
  }
}

export type ArtistRepo = ReturnType<typeof makeArtistRepo>
