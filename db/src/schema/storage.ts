import { sql } from 'drizzle-orm'
import {
  bigserial,
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { TrackId, UploadId } from '../contract/ids.ts'
import { Bucket, TombstoneReason } from '../contract/states.ts'
import { createdAt, instant, isOneOf, oneOf } from './columns.ts'

/**
 * Who this database is: one row, made by the migration. The owner mark of each bucket and the setting
 * INSTALLATION_ID name the same id; objects are deleted only where all three agree. A copy of the
 * database bears the id of its origin.
 */
export const installation = pgTable(
  'installation',
  {
    singleton: boolean('singleton').primaryKey().default(true),
    id: uuid('id').notNull().defaultRandom(),
    /** When a bucket was first claimed; until then the id may still follow the setting. */
    claimedAt: instant('claimed_at'),
    /**
     * Tokens that this database has written into the owner marks, or was about to. Each sweep writes a
     * new one, so that a copy of the database, or a restored backup, knows only old ones.
     */
    markTokens: text('mark_tokens')
      .array()
      .notNull()
      .default(sql`'{}'`),
  },
  (t) => [check('installation_singleton_check', sql`${t.singleton}`)],
)

/** Which revision of the folder `db/sql` the functions and triggers are: one row, written by the migrator. */
export const appliedSql = pgTable(
  'applied_sql',
  {
    singleton: boolean('singleton').primaryKey().default(true),
    revision: integer('revision').notNull(),
    sha256: text('sha256').notNull(),
    appliedAt: instant('applied_at')
      .notNull()
      .default(sql`now()`),
  },
  (t) => [check('applied_sql_singleton_check', sql`${t.singleton}`)],
)

/**
 * What is to be deleted from the buckets, written with the change that makes it unneeded. Nothing is
 * deleted without one: that a row is missing is no reason.
 */
export const tombstones = pgTable(
  'tombstones',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    bucket: oneOf('bucket', Bucket).notNull(),
    /** A whole key, or the prefix of one track or one of its versions. */
    key: text('key').notNull(),
    isPrefix: boolean('is_prefix').notNull().default(false),
    /** A multipart upload to the key that is given up as well. */
    multipartId: text('multipart_id'),
    reason: oneOf('reason', TombstoneReason).notNull(),
    trackId: uuid('track_id').$type<TrackId>(),
    version: integer('version'),
    uploadId: uuid('upload_id').$type<UploadId>(),
    createdAt: createdAt(),
    notBefore: instant('not_before')
      .notNull()
      .default(sql`now()`),
    purgedAt: instant('purged_at'),
    /** How many objects were deleted. */
    objects: integer('objects').notNull().default(0),
    /** What the last try failed with. */
    failure: text('failure'),
  },
  (t) => [
    uniqueIndex('tombstones_open_key')
      .on(t.bucket, t.key)
      .where(sql`purged_at is null`),
    index('tombstones_due_idx')
      .on(t.notBefore)
      .where(sql`purged_at is null`),
    index('tombstones_purged_idx')
      .on(t.purgedAt)
      .where(sql`purged_at is not null`),
    check('tombstones_bucket_check', isOneOf(t.bucket, Bucket)),
    check('tombstones_reason_check', isOneOf(t.reason, TombstoneReason)),
    check(
      'tombstones_prefix_check',
      sql`not ${t.isPrefix} or ${t.key} ~ '^tracks/[0-9a-f-]{36}/([1-9][0-9]*/)?$'`,
    ),
  ],
)
