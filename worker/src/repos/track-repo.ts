import { AlbumId, ArtistId, TRACK_FIELDS, TrackId } from '@mist/db/contract'
import { creditTrack, deleteTrack } from '@mist/db/statements'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Keyset } from '../contract/pages.ts'
import type { TrackPatch } from '../contract/tracks.ts'
import type { Database } from '../platform/database.ts'
import { exactInstant, Instant, rowOf, rowsOf } from './rows.ts'

/** A track as the database tells it; the service makes URLs of `coverVersion`. */
export const TrackRow = z
  .object({
    id: TrackId,
    title: z.string(),
    artists: z.array(z.object({ id: ArtistId, name: z.string() })),
    album: z
      .object({
        id: AlbumId,
        title: z.string(),
        loudnessLufs: z.number().nullable(),
        samplePeakDbfs: z.number().nullable(),
      })
      .nullable(),
    genres: z.array(z.string()),
    duration_s: z.number(),
    cover_version: z.int().nullable(),
    cover_colours: z.array(z.string()).nullable(),
    loudness_lufs: z.number().nullable(),
    gain_db: z.number().nullable(),
    tempo_bpm: z.number().nullable(),
    version: z.int(),
    year: z.int().nullable(),
    track_number: z.int().nullable(),
    attribution: z.string().nullable(),
    created_at: Instant,
    cursor_at: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    title: row.title,
    artists: row.artists,
    album: row.album,
    genres: row.genres,
    durationS: row.duration_s,
    coverVersion: row.cover_version,
    coverColours: row.cover_colours,
    loudnessLufs: row.loudness_lufs,
    gainDb: row.gain_db,
    tempoBpm: row.tempo_bpm,
    version: row.version,
    year: row.year,
    trackNumber: row.track_number,
    attribution: row.attribution,
    createdAt: row.created_at,
    /** Exact text of `createdAt`, for cursors. */
    cursorAt: row.cursor_at,
  }))
export type TrackRow = z.infer<typeof TrackRow>

/** The artists of `tracks t`, in order, as JSON. */
const ARTISTS: SQL = sql`coalesce((
    select json_agg(json_build_object('id', a.id, 'name', a.name) order by ta.position)
    from track_artists ta join artists a on a.id = ta.artist_id where ta.track_id = t.id
  ), '[]')`

/** Columns of `TrackRow`, from `tracks t`. */
export const TRACK_COLUMNS: SQL = sql`
  t.id, t.title, t.genres, coalesce(t.duration_s, 0) as duration_s, t.cover_version, t.cover_colours,
  t.loudness_lufs, t.tempo_bpm, t.version, t.year, t.track_number, t.attribution, t.created_at,
  ${exactInstant(sql`t.created_at`)} as cursor_at, ${ARTISTS} as artists,
  (select v.gain_db from track_versions v where v.track_id = t.id and v.version = t.version) as gain_db,
  (select json_build_object('id', al.id, 'title', al.title, 'loudnessLufs', al.loudness_lufs,
     'samplePeakDbfs', al.sample_peak_dbfs)
   from albums al where al.id = t.album_id) as album`

/** What listeners may see. */
export const IS_PUBLIC: SQL = sql`t.published_at is not null and t.deleted_at is null`

const SimilarRow = z.intersection(TrackRow, z.object({ similarity: z.number() }))

const CreditRow = z
  .object({
    id: TrackId,
    title: z.string(),
    artists: z.array(z.object({ id: ArtistId, name: z.string() })),
    attribution: z.string(),
    cursor_at: z.string(),
  })
  .transform(({ cursor_at: cursorAt, ...row }) => ({ ...row, cursorAt }))

const AnalysisRow = z.object({
  waveform: z.string().nullable(),
  features: z.record(z.string(), z.unknown()).nullable(),
})

const Id = z.object({ id: TrackId })

export function makeTrackRepo({ db }: { db: Database }) {
  return {
    /** Public tracks, the newest first, after `after`. */
    list(limit: number, after: Keyset | null): Promise<TrackRow[]> {
      const rest = after
        ? sql`and (t.created_at, t.id) < (${after.at}::timestamptz, ${after.id}::uuid)`
        : sql``
      return rowsOf(
        db,
        TrackRow,
        sql`select ${TRACK_COLUMNS} from tracks t where ${IS_PUBLIC} ${rest}
            order by t.created_at desc, t.id desc limit ${limit}`,
      )
    },

    /** Public tracks that name who is to be credited, the newest first, after `after`. */
    credits(limit: number, after: Keyset | null) {
      const rest = after
        ? sql`and (t.created_at, t.id) < (${after.at}::timestamptz, ${after.id}::uuid)`
        : sql``
      return rowsOf(
        db,
        CreditRow,
        sql`select t.id, t.title, t.attribution, ${exactInstant(sql`t.created_at`)} as cursor_at,
                   ${ARTISTS} as artists
            from tracks t where ${IS_PUBLIC} and t.attribution is not null ${rest}
            order by t.created_at desc, t.id desc limit ${limit}`,
      )
    },

    /** One public track, or null. */
    find(trackId: TrackId): Promise<TrackRow | null> {
      return rowOf(
        db,
        TrackRow,
        sql`select ${TRACK_COLUMNS} from tracks t where t.id = ${trackId} and ${IS_PUBLIC}`,
      )
    },

    /** Public tracks whose embedding is nearest by cosine; null when there is no such track. */
    async similar(trackId: TrackId, limit: number) {
      const mine = (column: string) =>
        sql`select ${sql.raw(column)} from track_embeddings where track_id = ${trackId}`
      const rows = await rowsOf(
        db,
        z.union([SimilarRow, z.object({ id: z.null() }).transform(() => null)]),
        // The outer join keeps one row of nulls where the track is there and nothing is near. The
        // vector comes from a subquery, not a join: only then can the HNSW index give the order.
        sql`select near.* from tracks self left join lateral (
              select ${TRACK_COLUMNS}, 1 - (e.embedding <=> (${mine('embedding')})) as similarity
              from track_embeddings e join tracks t on t.id = e.track_id
              where e.embedding_version = (${mine('embedding_version')})
                and e.track_id <> ${trackId} and ${IS_PUBLIC}
              order by e.embedding <=> (${mine('embedding')}) limit ${limit}
            ) near on true
            where self.id = ${trackId} and self.published_at is not null and self.deleted_at is null
            order by near.similarity desc, near.id`,
      )
      return rows.length === 0 ? null : rows.filter((row) => row !== null)
    },

    /** Waveform (base64) and features of a public track. */
    analysis(trackId: TrackId) {
      return rowOf(
        db,
        AnalysisRow,
        sql`select translate(encode(t.waveform, 'base64'), E'\n', '') as waveform, t.features
            from tracks t where t.id = ${trackId} and ${IS_PUBLIC}`,
      )
    },

    /** Sets what is given; artists and albums are found by name or made. `false`: no such track. */
    async patch(trackId: TrackId, patch: TrackPatch): Promise<boolean> {
      const edited = TRACK_FIELDS.filter((field) => patch[field] !== undefined)
      const columns = [
        // What is written here, no file's tags replace. (Set also where nothing is given.)
        sql`edited_fields = array(
          select distinct e from unnest(edited_fields || array(
            select jsonb_array_elements_text(${JSON.stringify(edited)}::jsonb))) e order by e)`,
        ...set('title', patch.title),
        ...set('year', patch.year),
        ...set('track_number', patch.trackNumber),
        ...set('attribution', patch.attribution),
        ...(patch.genres === undefined
          ? []
          : [
              sql`genres = array(select jsonb_array_elements_text(${JSON.stringify(patch.genres)}::jsonb))`,
            ]),
        ...(patch.album === null ? [sql`album_id = null`] : []),
      ]
      // One transaction, several statements: a row written in a statement can't be written again in it.
      const [updated] = await db.batch([
        db.execute(
          sql`update tracks set ${sql.join(columns, sql`, `)}
              where id = ${trackId} and deleted_at is null returning id`,
        ),
        ...creditTrack(trackId, {
          artists: patch.artists,
          album: patch.album ?? undefined,
          year: patch.year ?? undefined,
        }).map((statement) => db.execute(statement)),
      ])
      return updated.rows.length > 0
    },

    /**
     * Hides a track for good: ends its listening sessions, fails its unfinished jobs and writes the
     * tombstones by which its objects are deleted a day later. `false`: no such track.
     */
    async remove(trackId: TrackId, now: Date): Promise<boolean> {
      return (await rowOf(db, Id, deleteTrack(trackId, now))) !== null
    },
  }
}

/** `column = value`, or nothing where no value is given. */
function set(column: string, value: unknown): SQL[] {
  return value === undefined ? [] : [sql`${sql.raw(column)} = ${value}`]
}

export type TrackRepo = ReturnType<typeof makeTrackRepo>
