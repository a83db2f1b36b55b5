import { sql } from 'drizzle-orm'
import {
  boolean,
  type AnyPgColumn,
  check,
  doublePrecision,
  bigint,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { AlbumKind, ArtistRole } from '../contract/names.ts'
import type { AlbumId, ArtistId, JobId, TrackId, UploadId, UserId } from '../contract/ids.ts'
import type { LyricsLine } from '../contract/lyrics.ts'
import type { TrackField } from '../contract/text.ts'
import { users } from './accounts.ts'
import { LyricsSource, VersionStatus } from '../contract/states.ts'
import { bytea, createdAt, instant, isOneOf, oneOf } from './columns.ts'

export const artists = pgTable(
  'artists',
  {
    id: uuid('id').primaryKey().$type<ArtistId>(),
    /**
     * As it is shown, but for a mark at the end where another artist bears the same name (see
     * `NAMESAKE_MARK`): release 0.1.0 still counts on names that differ.
     */
    name: text('name').notNull(),
    /** What a list is sorted by where that is not the name: "Beatles, The". */
    sortName: text('sort_name'),
    /** Of one that an admin took for another: that other one. It stays, so that old links lead on. */
    mergedInto: uuid('merged_into')
      .references((): AnyPgColumn => artists.id)
      .$type<ArtistId>(),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('artists_name_key').on(sql`lower(${t.name})`),
    // Lists by name and by time; the Worker's `nameOrder` is the same expression.
    index('artists_by_name_idx').on(
      sql`left(fold_v1(coalesce(sort_name, name)), 60) collate "C"`,
      t.id,
    ),
    index('artists_newest_idx').on(t.createdAt.desc(), t.id.desc()),
  ],
)

/**
 * Whom a name means, by its key (`nameKey`). It survives renaming and merging, so that the next file
 * with the old name finds the artist.
 */
export const artistAliases = pgTable(
  'artist_aliases',
  {
    folded: text('folded').primaryKey(),
    artistId: uuid('artist_id')
      .notNull()
      .references(() => artists.id, { onDelete: 'cascade' })
      .$type<ArtistId>(),
  },
  (t) => [index('artist_aliases_artist_idx').on(t.artistId)],
)

/** Whom an identifier of MusicBrainz means; it beats any name. After a merge an artist has several. */
export const artistMbids = pgTable(
  'artist_mbids',
  {
    mbid: uuid('mbid').primaryKey(),
    artistId: uuid('artist_id')
      .notNull()
      .references(() => artists.id, { onDelete: 'cascade' })
      .$type<ArtistId>(),
  },
  (t) => [index('artist_mbids_artist_idx').on(t.artistId)],
)

export const albums = pgTable(
  'albums',
  {
    id: uuid('id').primaryKey().$type<AlbumId>(),
    /** As it is shown, but for `NAMESAKE_MARK`. */
    title: text('title').notNull(),
    /** The first of its artists, `Various Artists` of a compilation. */
    artistId: uuid('artist_id')
      .notNull()
      .references(() => artists.id)
      .$type<ArtistId>(),
    year: integer('year'),
    /**
     * Of its published tracks as a whole, LUFS; null where none is heard. A trigger keeps it, as it keeps
     * the highest sample.
     */
    loudnessLufs: real('loudness_lufs'),
    /** Highest sample of any of its published tracks, dBFS. */
    samplePeakDbfs: real('sample_peak_dbfs'),
    /** What an admin called it; null: what it looks like by its artist and its length. */
    kind: oneOf('kind', AlbumKind),
    /** Whose cover it has; null: the first track's that has one. */
    coverTrackId: uuid('cover_track_id')
      .references((): AnyPgColumn => tracks.id, { onDelete: 'set null' })
      .$type<TrackId>(),
    mergedInto: uuid('merged_into')
      .references((): AnyPgColumn => albums.id)
      .$type<AlbumId>(),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('albums_artist_title_key').on(t.artistId, sql`lower(${t.title})`),
    index('albums_by_title_idx').on(sql`left(fold_v1(title), 60) collate "C"`, t.id),
    index('albums_newest_idx').on(t.createdAt.desc(), t.id.desc()),
    check('albums_kind_check', isOneOf(t.kind, AlbumKind)),
  ],
)

/** Whose an album is, in order. */
export const albumArtists = pgTable(
  'album_artists',
  {
    albumId: uuid('album_id')
      .notNull()
      .references(() => albums.id, { onDelete: 'cascade' })
      .$type<AlbumId>(),
    artistId: uuid('artist_id')
      .notNull()
      .references(() => artists.id)
      .$type<ArtistId>(),
    position: integer('position').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.albumId, t.artistId] }),
    index('album_artists_artist_idx').on(t.artistId),
  ],
)

/** Which albums of an artist a title means, by its key. Titles are not unique: there may be several. */
export const albumAliases = pgTable(
  'album_aliases',
  {
    artistId: uuid('artist_id')
      .notNull()
      .references(() => artists.id, { onDelete: 'cascade' })
      .$type<ArtistId>(),
    folded: text('folded').notNull(),
    albumId: uuid('album_id')
      .notNull()
      .references(() => albums.id, { onDelete: 'cascade' })
      .$type<AlbumId>(),
  },
  (t) => [
    primaryKey({ columns: [t.artistId, t.folded, t.albumId] }),
    index('album_aliases_album_idx').on(t.albumId),
  ],
)

/** Which album an identifier of MusicBrainz's (of a release) means. */
export const albumMbids = pgTable(
  'album_mbids',
  {
    mbid: uuid('mbid').primaryKey(),
    albumId: uuid('album_id')
      .notNull()
      .references(() => albums.id, { onDelete: 'cascade' })
      .$type<AlbumId>(),
  },
  (t) => [index('album_mbids_album_idx').on(t.albumId)],
)

/**
 * A track exists from the moment its upload is complete; listeners see it once `publishedAt` is set,
 * which the transcoder does in the transaction that also sets `version`.
 */
export const tracks = pgTable(
  'tracks',
  {
    id: uuid('id').primaryKey().$type<TrackId>(),
    title: text('title').notNull(),
    albumId: uuid('album_id')
      .references(() => albums.id)
      .$type<AlbumId>(),
    /** Null is the first, or the only one. */
    discNumber: integer('disc_number'),
    trackNumber: integer('track_number'),
    year: integer('year'),
    /** As a file or an admin wrote them; listed and shown are those of `track_genres`. */
    genres: text('genres')
      .array()
      .notNull()
      .default(sql`'{}'`),
    /** Who made the recording and under which licence; shown with the track. */
    attribution: text('attribution'),
    /** The published version of the media; null until the first is published. */
    version: integer('version'),
    durationS: doublePrecision('duration_s'),
    /** Integrated loudness of the original, LUFS (EBU R128). */
    loudnessLufs: real('loudness_lufs'),
    /** Highest sample of the original, dBFS; null for digital silence. */
    samplePeakDbfs: real('sample_peak_dbfs'),
    tempoBpm: real('tempo_bpm'),
    /** Named features of the current version, as the transcoder's `Features` spells them. */
    features: jsonb('features'),
    /**
     * What the tags of the current version's file say, cleaned, as the transcoder's `Tags` spells them,
     * and the version of their reader.
     */
    tags: jsonb('tags'),
    /** What an admin wrote of the description, at the upload or later: no file's tags replace it. */
    editedFields: text('edited_fields')
      .array()
      .notNull()
      .default(sql`'{}'`)
      .$type<TrackField[]>(),
    /** Peaks for the waveform, one byte each, 0…255. */
    waveform: bytea('waveform'),
    /** The version whose prefix holds the cover; null where there is none. */
    coverVersion: integer('cover_version'),
    /** Three of the cover's colours, `#rrggbb`, the one of the largest areas first; null without a cover. */
    coverColours: text('cover_colours').array(),
    /** Where its preview begins, seconds, on the grid of segments. */
    previewStartS: integer('preview_start_s'),
    uploadedBy: uuid('uploaded_by')
      .references(() => users.id, { onDelete: 'set null' })
      .$type<UserId>(),
    /** The upload whose original the current version was made from. */
    uploadId: uuid('upload_id').$type<UploadId>(),
    createdAt: createdAt(),
    publishedAt: instant('published_at'),
    /** Set when an admin deletes the track: hidden at once, its objects are purged a day later. */
    deletedAt: instant('deleted_at'),
    /** Set when its objects are gone. The row stays, a stub, so that listens and totals do not vanish. */
    purgedAt: instant('purged_at'),
  },
  (t) => [
    index('tracks_listing_idx')
      .on(t.createdAt.desc(), t.id.desc())
      .where(sql`published_at is not null and deleted_at is null`),
    index('tracks_album_idx').on(t.albumId),
    index('tracks_by_title_idx')
      .on(sql`left(fold_v1(title), 60) collate "C"`, t.id)
      .where(sql`published_at is not null and deleted_at is null`),
    index('tracks_key_idx')
      .on(
        sql`((features->'key'->>'tonic') || ' ' || (features->'key'->>'mode'))`,
        t.createdAt.desc(),
        t.id.desc(),
      )
      .where(sql`published_at is not null and deleted_at is null`),
    index('tracks_credits_idx')
      .on(t.createdAt.desc(), t.id.desc())
      .where(sql`attribution is not null and published_at is not null and deleted_at is null`),
    index('tracks_deleted_idx')
      .on(t.deletedAt)
      .where(sql`deleted_at is not null`),
  ],
)

/**
 * The tags of the current version's file as it has them, so that a better reader can be judged by them.
 * Cleaned they are in `tracks.tags`, lyrics in `track_lyrics`; pictures are not kept.
 */
export const trackFileTags = pgTable('track_file_tags', {
  trackId: uuid('track_id')
    .primaryKey()
    .references(() => tracks.id, { onDelete: 'cascade' })
    .$type<TrackId>(),
  /** Version of the reader. */
  reader: integer('reader').notNull(),
  readAt: instant('read_at')
    .notNull()
    .default(sql`now()`),
  /** `[{tag, name, values}]`, in the file's order, as the transcoder's `Field` spells them. */
  fields: jsonb('fields').notNull(),
  /** Names of fields that are not whole here, for they would take too much room. */
  cut: text('cut').array().notNull(),
})

/** What is sung. An admin's lyrics are heard before the file's, and stay when tags are read anew. */
export const trackLyrics = pgTable(
  'track_lyrics',
  {
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    source: oneOf('source', LyricsSource).notNull(),
    /** BCP 47; null where it is not known. */
    language: text('language'),
    /** Whether each line has its time. */
    synced: boolean('synced').notNull(),
    /** In order; none where an admin says that there are none. */
    lines: jsonb('lines').notNull().$type<LyricsLine[]>(),
    updatedAt: instant('updated_at')
      .notNull()
      .default(sql`now()`),
  },
  (t) => [
    primaryKey({ columns: [t.trackId, t.source] }),
    check('track_lyrics_source_check', isOneOf(t.source, LyricsSource)),
  ],
)

export const trackArtists = pgTable(
  'track_artists',
  {
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    artistId: uuid('artist_id')
      .notNull()
      .references(() => artists.id)
      .$type<ArtistId>(),
    /** Main and featured artists are credited with plays. */
    role: oneOf('role', ArtistRole).notNull().default('main'),
    position: integer('position').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.trackId, t.artistId, t.role] }),
    index('track_artists_artist_idx').on(t.artistId),
    check('track_artists_role_check', isOneOf(t.role, ArtistRole)),
  ],
)

/** Genres, one spelling each. */
export const genres = pgTable('genres', {
  /** Of the first spelling: `hip-hop`, `drum-and-bass`, `ジャズ`. */
  slug: text('slug').primaryKey(),
  name: text('name').notNull(),
  createdAt: createdAt(),
})

/** Which genre a spelling means, folded and in one piece (`genre_slug_v1` without its dashes). */
export const genreAliases = pgTable(
  'genre_aliases',
  {
    folded: text('folded').primaryKey(),
    slug: text('slug')
      .notNull()
      .references(() => genres.slug, { onDelete: 'cascade' }),
  },
  (t) => [index('genre_aliases_slug_idx').on(t.slug)],
)

/** A track's genres; a trigger makes them of `tracks.genres`, which is what was written. */
export const trackGenres = pgTable(
  'track_genres',
  {
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    slug: text('slug')
      .notNull()
      .references(() => genres.slug),
    position: integer('position').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.trackId, t.slug] }),
    index('track_genres_slug_idx').on(t.slug, t.trackId),
  ],
)

/**
 * One run of the transcoder over one track: the prefix `tracks/<id>/<version>/` belongs to it.
 * `building` until published; `retired` when a newer version took its place; `dead` when its run was
 * not heard of any more. Retired and dead ones have a tombstone, by which a sweep deletes their objects.
 */
export const trackVersions = pgTable(
  'track_versions',
  {
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    version: integer('version').notNull(),
    jobId: uuid('job_id').notNull().$type<JobId>(),
    status: oneOf('status', VersionStatus).notNull(),
    createdAt: createdAt(),
    publishedAt: instant('published_at'),
    retiredAt: instant('retired_at'),
    /** Hz of all renditions. */
    sampleRate: integer('sample_rate'),
    /** Samples of sound, priming and padding not counted. */
    sampleCount: bigint('sample_count', { mode: 'number' }),
    /** Encoder delay, samples. */
    primingSamples: integer('priming_samples'),
    /** Samples after the sound that fill the last AAC frame. */
    paddingSamples: integer('padding_samples'),
    /** Gain applied before encoding, dB. */
    gainDb: real('gain_db'),
    /** Segments that share one key; versions of before the column have 3. */
    segmentsPerPeriod: integer('segments_per_period').notNull().default(3),
  },
  (t) => [
    primaryKey({ columns: [t.trackId, t.version] }),
    index('track_versions_unpublished_idx')
      .on(t.createdAt)
      .where(sql`status <> 'published'`),
    check('track_versions_status_check', isOneOf(t.status, VersionStatus)),
    check('track_versions_segments_per_period_check', sql`${t.segmentsPerPeriod} > 0`),
  ],
)

/** Master keys, wrapped under `CONTENT_KEY_SECRET`; the keys of periods are never stored. */
export const trackKeys = pgTable(
  'track_keys',
  {
    trackId: uuid('track_id').notNull().$type<TrackId>(),
    version: integer('version').notNull(),
    /** Which key of `CONTENT_KEY_SECRET` wrapped it. */
    kid: text('kid').notNull(),
    /** nonce ‖ ciphertext ‖ tag, 44 bytes. */
    wrapped: bytea('wrapped').notNull(),
  },
  (t) => [primaryKey({ columns: [t.trackId, t.version] })],
)

export const renditions = pgTable(
  'renditions',
  {
    trackId: uuid('track_id').notNull().$type<TrackId>(),
    version: integer('version').notNull(),
    /** Folder name in the media bucket and in URLs: `64k`, `128k`, `192k`. */
    name: text('name').notNull(),
    /** Nominal bits per second of the encoder. */
    bitrate: integer('bitrate').notNull(),
    /** Measured highest bits per second of any segment, container and padding included. */
    peakBandwidth: integer('peak_bandwidth').notNull(),
    /** Measured bits per second over the whole track. */
    averageBandwidth: integer('average_bandwidth').notNull(),
    /** RFC 6381, `mp4a.40.2`. */
    codecs: text('codecs').notNull(),
    /** The clear CMAF init segment, some 700 bytes: kept here so that pressing play needs no fetch. */
    init: bytea('init').notNull(),
    /** Random 16 bytes from which each segment's IV follows. */
    ivSeed: bytea('iv_seed').notNull(),
  },
  (t) => [primaryKey({ columns: [t.trackId, t.version, t.name] })],
)

/**
 * Where each AAC frame of a rendition is, so that a file of it can be laid out to the byte without
 * fetching a segment. Apart from `renditions`, which pressing play reads; versions of before have none.
 */
export const renditionLayouts = pgTable(
  'rendition_layouts',
  {
    trackId: uuid('track_id').notNull().$type<TrackId>(),
    version: integer('version').notNull(),
    /** The rendition's. */
    name: text('name').notNull(),
    /** Bytes of each frame, in order, as `packSizes` writes them. */
    frameSizes: bytea('frame_sizes').notNull(),
    /** Bytes in front of the first frame of each clear segment, as `packSizes` writes them. */
    headerSizes: bytea('header_sizes').notNull(),
  },
  (t) => [primaryKey({ columns: [t.trackId, t.version, t.name] })],
)
