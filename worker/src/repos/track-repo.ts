import { TRACK_FIELDS, type AlbumId, type ArtistId, type TrackId } from '@mist/db/contract'
import { trackEmbeddings, tracks } from '@mist/db/schema'
import { type Actor, audit, creditTrack, deleteTrack } from '@mist/db/statements'
import {
  and,
  desc,
  eq,
  getTableColumns,
  inArray,
  isNotNull,
  isNull,
  ne,
  sql,
  type SQL,
} from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { TrackFilter, TracksQuery } from '../contract/browse.ts'
import type { ArtistName } from '../contract/catalogue.ts'
import type { Keyset } from '../contract/pages.ts'
import type { TrackPatch } from '../contract/tracks.ts'
import type { Database } from '../platform/database.ts'
import { exactInstant, isAfter, isAfterName, nameOrder, shownName, latestFirst } from './rows.ts'

/** More than any album has. */
const MAX_ALBUM_TRACKS = 1000

/** Too large for lists. */
const { features: _, waveform: __, tags: ___, ...OWN_COLUMNS } = getTableColumns(tracks)

/** The artists of `tracks`, in order. */
const ARTISTS = sql<{ id: ArtistId; name: string }[]>`coalesce((
    select json_agg(json_build_object('id', a.id, 'name', ${shownName(sql`a.name`)}) order by ta.position)
    from track_artists ta join artists a on a.id = ta.artist_id where ta.track_id = tracks.id
  ), '[]')`.as('artists')

/** As an index has it. */
const KEY = sql.raw(
  `(tracks.features->'key'->>'tonic') || ' ' || (tracks.features->'key'->>'mode')`,
)

/** What is selected of `tracks` where tracks are shown; the service makes URLs of `coverVersion`. */
export const TRACK = {
  ...OWN_COLUMNS,
  // Of a public track these are always there.
  version: sql<number>`tracks.version`.as('shown_version'),
  durationS: sql<number>`coalesce(tracks.duration_s, 0)`.as('shown_duration_s'),
  artists: ARTISTS,
  album: sql<{
    id: AlbumId
    title: string
    loudnessLufs: number | null
    samplePeakDbfs: number | null
  } | null>`(
    select json_build_object('id', al.id, 'title', ${shownName(sql`al.title`)}, 'loudnessLufs', al.loudness_lufs,
      'samplePeakDbfs', al.sample_peak_dbfs)
    from albums al where al.id = tracks.album_id
  )`.as('album'),
  albumArtists: sql<ArtistName[]>`coalesce((
    select json_agg(json_build_object('id', a.id, 'name', ${shownName(sql`a.name`)}) order by aa.position)
    from album_artists aa join artists a on a.id = aa.artist_id where aa.album_id = tracks.album_id
  ), '[]')`.as('album_artists'),
  key: sql<string | null>`${KEY}`.as('key'),
  /** A bigint, which drivers give as text. */
  playCount: sql<number | string>`coalesce((
    select n.plays from track_totals n where n.track_id = tracks.id
  ), 0)`.as('play_count'),
  // An admin who says that there are none is believed.
  hasLyrics: sql<boolean>`coalesce((
    select jsonb_array_length(l.lines) > 0 from track_lyrics l
    where l.track_id = tracks.id order by l.source = 'admin' desc limit 1
  ), false)`.as('has_lyrics'),
  /** Of the version that is published. */
  gainDb: sql<number | null>`(
    select v.gain_db from track_versions v
    where v.track_id = tracks.id and v.version = tracks.version
  )`.as('gain_db'),
  /** For cursors. */
  cursorAt: exactInstant(tracks.createdAt).as('cursor_at'),
}
export type TrackRow = Awaited<ReturnType<TrackRepo['byIds']>>[number]

/** What listeners may see of `tracks`. */
export const IS_PUBLIC = and(isNotNull(tracks.publishedAt), isNull(tracks.deletedAt))

const BY_TITLE = nameOrder(tracks.title)

/** The year of a track that says none is its album's. */
const YEAR = sql`coalesce(tracks.year, (select al.year from albums al where al.id = tracks.album_id))`

function passes(filter: TrackFilter): SQL | undefined {
  const { genre, artistId, albumId, yearFrom, yearTo, bpmFrom, bpmTo, key } = filter
  const { durationFromS, durationToS } = filter
  return and(
    genre === undefined
      ? undefined
      : sql`exists (
          select from track_genres tg join genre_aliases ga on ga.slug = tg.slug
          where tg.track_id = tracks.id and ga.folded = replace(genre_slug_v1(${genre}), '-', '')
        )`,
    artistId === undefined
      ? undefined
      : sql`exists (
          select from track_artists ta where ta.track_id = tracks.id and ta.artist_id = ${artistId}
        )`,
    albumId === undefined ? undefined : eq(tracks.albumId, albumId),
    yearFrom === undefined ? undefined : sql`${YEAR} >= ${yearFrom}::integer`,
    yearTo === undefined ? undefined : sql`${YEAR} <= ${yearTo}::integer`,
    bpmFrom === undefined ? undefined : sql`tracks.tempo_bpm >= ${bpmFrom}::real`,
    bpmTo === undefined ? undefined : sql`tracks.tempo_bpm <= ${bpmTo}::real`,
    key === undefined ? undefined : sql`${KEY} = ${key}`,
    durationFromS === undefined ? undefined : sql`tracks.duration_s >= ${durationFromS}::float8`,
    durationToS === undefined ? undefined : sql`tracks.duration_s <= ${durationToS}::float8`,
  )
}

const NEWEST_FIRST = latestFirst(tracks.createdAt, tracks.id)

export function makeTrackRepo({ db }: { db: Database }) {
  return {
    /** Public tracks of what is asked for, after `after`. */
    list: (filter: TrackFilter, sort: TracksQuery['sort'], limit: number, after: Keyset | null) =>
      sort === 'title'
        ? db
            .select({ ...TRACK, cursorAt: BY_TITLE.as('cursor_at') })
            .from(tracks)
            .where(and(IS_PUBLIC, passes(filter), isAfterName(BY_TITLE, tracks.id, after)))
            .orderBy(BY_TITLE, tracks.id)
            .limit(limit)
        : db
            .select(TRACK)
            .from(tracks)
            .where(and(IS_PUBLIC, passes(filter), isAfter(tracks.createdAt, tracks.id, after)))
            .orderBy(...NEWEST_FIRST)
            .limit(limit),

    /** Public tracks of an album, in order of disc and track. */
    ofAlbum: (albumId: AlbumId) =>
      db
        .select(TRACK)
        .from(tracks)
        .where(and(IS_PUBLIC, eq(tracks.albumId, albumId)))
        .orderBy(
          sql`coalesce(tracks.disc_number, 1), tracks.track_number nulls last`,
          BY_TITLE,
          tracks.id,
        )
        .limit(MAX_ALBUM_TRACKS),

    /** Public tracks whose licence or maker asks for a credit, the newest first, after `after`. */
    credits: (limit: number, after: Keyset | null) =>
      db
        .select({
          id: tracks.id,
          title: tracks.title,
          attribution: sql<string>`${tracks.attribution}`,
          artists: ARTISTS,
          cursorAt: TRACK.cursorAt,
        })
        .from(tracks)
        .where(
          and(
            IS_PUBLIC,
            isNotNull(tracks.attribution),
            isAfter(tracks.createdAt, tracks.id, after),
          ),
        )
        .orderBy(...NEWEST_FIRST)
        .limit(limit),

    /** Public ones of these, in any order. */
    byIds: (ids: readonly TrackId[]) =>
      db
        .select(TRACK)
        .from(tracks)
        .where(and(inArray(tracks.id, [...ids]), IS_PUBLIC)),

    /** One public track, or null. */
    async find(trackId: TrackId) {
      const [row] = await db
        .select(TRACK)
        .from(tracks)
        .where(and(eq(tracks.id, trackId), IS_PUBLIC))
      return row ?? null
    },

    /** Public tracks whose embedding is nearest by cosine; null when there is no such track. */
    async similar(trackId: TrackId, limit: number) {
      // From a subquery, not a join: only then can the HNSW index give the order.
      const own = (column: 'embedding' | 'embedding_version') =>
        sql`(select ${sql.identifier(column)} from track_embeddings where track_id = ${trackId})`
      const distance = sql`${trackEmbeddings.embedding} <=> ${own('embedding')}`
      const near = db
        .select({ ...TRACK, similarity: sql<number>`1 - (${distance})`.as('similarity') })
        .from(trackEmbeddings)
        .innerJoin(tracks, eq(tracks.id, trackEmbeddings.trackId))
        .where(
          and(
            eq(trackEmbeddings.embeddingVersion, own('embedding_version')),
            ne(trackEmbeddings.trackId, trackId),
            IS_PUBLIC,
          ),
        )
        .orderBy(distance)
        .limit(limit)
        .as('near')
      const self = alias(tracks, 'self')
      // The outer join keeps one row of nulls where the track is there and nothing is near.
      const rows = await db
        .select({ near: near._.selectedFields })
        .from(self)
        .leftJoinLateral(near, sql`true`)
        .where(and(eq(self.id, trackId), isNotNull(self.publishedAt), isNull(self.deletedAt)))
        .orderBy(desc(near.similarity), near.id)
      return rows.length === 0 ? null : rows.flatMap((row) => row.near ?? [])
    },

    /** Waveform (a byte for each peak) and features of a public track. */
    async analysis(trackId: TrackId) {
      const [row] = await db
        .select({
          waveform: tracks.waveform,
          features: sql<Record<string, unknown> | null>`${tracks.features}`,
        })
        .from(tracks)
        .where(and(eq(tracks.id, trackId), IS_PUBLIC))
      return row ?? null
    },

    /** Sets what is given; artists and albums are found by name or made. `false`: no such track. */
    async patch(trackId: TrackId, patch: TrackPatch, by: Actor): Promise<boolean> {
      const entry = {
        action: 'track.update',
        target: 'track',
        targetId: trackId,
        details: patch,
      } as const
      const { title, year, trackNumber, attribution, genres, artists, album } = patch
      const edited = TRACK_FIELDS.filter((field) => patch[field] !== undefined)
      // One transaction, several statements: a row written in a statement can't be written again in it.
      const [updated] = await db.batch([
        db
          .update(tracks)
          .set({
            // What is written here, no file's tags replace. (Set also where nothing is given.)
            editedFields: sql`array(
              select distinct e from unnest(edited_fields || array(
                select jsonb_array_elements_text(${JSON.stringify(edited)}::jsonb))) e order by e)`,
            title,
            year,
            trackNumber,
            attribution,
            genres,
            albumId: album === null ? null : undefined,
          })
          .where(and(eq(tracks.id, trackId), isNull(tracks.deletedAt)))
          .returning({ id: tracks.id }),
        ...creditTrack(trackId, {
          artists,
          album: album ?? undefined,
          year: year ?? undefined,
        }).map((statement) => db.execute(statement)),
        db.execute(audit(by, entry, sql`tracks where id = ${trackId} and deleted_at is null`)),
      ])
      return updated.length > 0
    },

    /**
     * Hides a track for good: ends its listening sessions, fails its unfinished jobs and writes the
     * tombstones by which its objects are deleted a day later. `false`: no such track.
     */
    async remove(trackId: TrackId, by: Actor, now: Date): Promise<boolean> {
      return (await db.execute(deleteTrack(trackId, now, { by }))).rows.length > 0
    },
  }
}

export type TrackRepo = ReturnType<typeof makeTrackRepo>
