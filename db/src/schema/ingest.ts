import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  real,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import type { JobId, TrackId, UploadId, UserId } from '../contract/ids.ts'
import { JobKind, JobStatus, JobStep, RemakeKind } from '../contract/jobs.ts'
import { OutboxTopic } from '../contract/states.ts'
import { users } from './accounts.ts'
import { createdAt, instant, isOneOf, oneOf } from './columns.ts'

export type UploadMetadata = {
  title?: string | undefined
  artists?: string[] | undefined
  album?: string | undefined
  genres?: string[] | undefined
  year?: number | undefined
  trackNumber?: number | undefined
  attribution?: string | undefined
}

export const uploads = pgTable(
  'uploads',
  {
    id: uuid('id').primaryKey().$type<UploadId>(),
    userId: uuid('user_id')
      .references(() => users.id, { onDelete: 'set null' })
      .$type<UserId>(),
    filename: text('filename').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
    contentType: text('content_type').notNull(),
    metadata: jsonb('metadata').notNull().$type<UploadMetadata>().default({}),
    objectKey: text('object_key').notNull(),
    /** S3's id of the multipart upload; null for a single PUT. */
    multipartId: text('multipart_id'),
    partSizeBytes: integer('part_size_bytes'),
    createdAt: createdAt(),
    expiresAt: instant('expires_at').notNull(),
    completedAt: instant('completed_at'),
    /** Set when its time was over before it was complete; it can't be completed from then on. */
    abandonedAt: instant('abandoned_at'),
    /** ETag of the original that was seen when the upload was completed; null for older uploads. */
    etag: text('etag'),
  },
  (t) => [
    index('uploads_open_idx')
      .on(t.expiresAt)
      .where(sql`completed_at is null`),
    check('uploads_size_check', sql`${t.sizeBytes} > 0`),
  ],
)

export const jobs = pgTable(
  'jobs',
  {
    id: uuid('id').primaryKey().$type<JobId>(),
    kind: oneOf('kind', JobKind).notNull(),
    uploadId: uuid('upload_id')
      .notNull()
      .references(() => uploads.id)
      .$type<UploadId>(),
    /** No foreign key: for a new track it is chosen here before the track's row exists. */
    trackId: uuid('track_id').notNull().$type<TrackId>(),
    status: oneOf('status', JobStatus).notNull(),
    step: oneOf('step', JobStep),
    /** 0…1 over the whole job. */
    progress: real('progress').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    /** The version that the running attempt builds: also the fence, for each attempt has its own. */
    version: integer('version'),
    errorCode: text('error_code'),
    errorDetail: text('error_detail'),
    createdAt: createdAt(),
    queuedAt: instant('queued_at'),
    startedAt: instant('started_at'),
    /** Last sign of life of the running attempt. */
    seenAt: instant('seen_at'),
    completedAt: instant('completed_at'),
  },
  (t) => [
    index('jobs_listing_idx').on(t.createdAt.desc(), t.id.desc()),
    index('jobs_unfinished_idx')
      .on(t.queuedAt)
      .where(sql`status in ('queued', 'processing')`),
    index('jobs_upload_idx').on(t.uploadId),
    index('jobs_track_idx').on(t.trackId),
    check('jobs_status_check', isOneOf(t.status, JobStatus)),
  ],
)

/**
 * What makes a whole catalogue anew, of each kind at most one. Which tracks are due follows from what they
 * are; a few jobs are made at a time, so that a pause is one soon, and uploads find the queue short.
 */
export const remakes = pgTable(
  'remakes',
  {
    kind: oneOf('kind', RemakeKind).primaryKey(),
    /** Of tracks that were made after this nothing is due. */
    startedAt: instant('started_at')
      .notNull()
      .default(sql`now()`),
    pausedAt: instant('paused_at'),
    endedAt: instant('ended_at'),
    /** How far it has come in this pass, by id; null at a pass's beginning. */
    afterTrackId: uuid('after_track_id').$type<TrackId>(),
  },
  (t) => [check('remakes_kind_check', isOneOf(t.kind, RemakeKind))],
)

/**
 * What Postgres owes to the rest of the world. Written in the statement that makes it true; the
 * transcoder's relay moves it to BullMQ.
 */
export const outbox = pgTable(
  'outbox',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    topic: oneOf('topic', OutboxTopic).notNull(),
    payload: jsonb('payload').notNull(),
    createdAt: createdAt(),
    dispatchedAt: instant('dispatched_at'),
  },
  (t) => [
    index('outbox_pending_idx')
      .on(t.id)
      .where(sql`dispatched_at is null`),
  ],
)
