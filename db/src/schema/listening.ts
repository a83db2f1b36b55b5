import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  date,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import type { FamilyId, SessionId, TrackId, UserId } from '../contract/ids.ts'
import type { PlanId } from '../contract/plans.ts'
import { ListenSource, SessionEndReason } from '../contract/states.ts'
import { refreshFamilies, users } from './accounts.ts'
import { tracks } from './catalogue.ts'
import { bytea, createdAt, instant, isOneOf, oneOf } from './columns.ts'

export const listeningSessions = pgTable(
  'listening_sessions',
  {
    id: uuid('id').primaryKey().$type<SessionId>(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' })
      .$type<UserId>(),
    familyId: uuid('family_id')
      .notNull()
      .references(() => refreshFamilies.id, { onDelete: 'cascade' })
      .$type<FamilyId>(),
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    version: integer('version').notNull(),
    /** Number of key periods of that version and milliseconds of each, and of it all: a version never changes. */
    periodCount: integer('period_count').notNull(),
    periodMs: integer('period_ms').notNull().default(12_000),
    durationMs: bigint('duration_ms', { mode: 'number' }).notNull(),
    startedAt: instant('started_at').notNull(),
    /** Slides with heartbeats, and with a lease when it has not for five minutes. */
    expiresAt: instant('expires_at').notNull(),
    /** When it expires for those who ask from long before `expiresAt` was set: a clock was wrong (db/sql/meter/charges.sql). */
    lateExpiresAt: instant('late_expires_at'),
    endedAt: instant('ended_at'),
    endReason: oneOf('end_reason', SessionEndReason),
    /** Its place in the arrays of the listener's meter, from 1, as long as it is live. */
    seat: smallint('seat').notNull(),
    /** Highest position reported, seconds. */
    positionS: doublePrecision('position_s').notNull().default(0),
    /** Seconds that can really have been heard: progress of the position, bounded by the clock. */
    heardS: doublePrecision('heard_s').notNull().default(0),
    heartbeatAt: instant('heartbeat_at').notNull(),
    /** When the play was counted; once a session. */
    countedAt: instant('counted_at'),
    /** What plays it, and in which country, as the Worker was told at the start. */
    client: text('client'),
    country: text('country'),
  },
  (t) => [
    index('listening_sessions_live_idx')
      .on(t.userId, t.startedAt.desc())
      .where(sql`ended_at is null`),
    index('listening_sessions_family_idx')
      .on(t.familyId)
      .where(sql`ended_at is null`),
    index('listening_sessions_ended_idx')
      .on(t.endedAt)
      .where(sql`ended_at is not null`),
    index('listening_sessions_track_idx')
      .on(t.trackId)
      .where(sql`ended_at is null`),
  ],
)

/**
 * What a listener may use and has used: the day's budget, the pace (a token bucket of audio
 * milliseconds), and the key periods that the live sessions have paid for. One row, so a lease writes
 * one; it is also the lock that puts a listener's leases and starts in a line. Triggers make it with
 * the account and keep the copies (db/sql/meter/account.sql).
 */
export const meters = pgTable(
  'meters',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' })
      .$type<UserId>(),
    levelMs: doublePrecision('level_ms').notNull(),
    at: instant('at').notNull(),
    /** The latest lease of those who ask from more than two minutes before `at`. */
    lateAt: instant('late_at')
      .notNull()
      .default(sql`'epoch'`),
    /** The latest UTC day on which something was leased. */
    day: date('day').notNull(),
    /** Milliseconds leased on that day: the budget's truth. */
    usedMs: bigint('used_ms', { mode: 'number' }).notNull().default(0),
    /** The other day that is remembered: the one before, or that of clocks which disagree. */
    lateDay: date('late_day')
      .notNull()
      .default(sql`'epoch'`),
    /** Milliseconds leased on that other day. */
    dayBeforeMs: bigint('day_before_ms', { mode: 'number' }).notNull().default(0),
    /** Copies of the account's, so that a lease reads no other row. */
    plan: text('plan').notNull().$type<PlanId>(),
    dailyLimitS: integer('daily_limit_s'),
    blockedAt: instant('blocked_at'),
    /** Copies of the plan's terms; `limitMs` is the account's own where it has one. Null: none. */
    limitMs: bigint('limit_ms', { mode: 'number' }),
    devices: smallint('devices').notNull().default(1),
    maxBitrate: integer('max_bitrate'),
    paceDepthMs: doublePrecision('pace_depth_ms').notNull().default(0),
    paceRate: doublePrecision('pace_rate').notNull().default(1),
    /** Of which revision of the plan they are. */
    planRevision: integer('plan_revision').notNull().default(0),
    /**
     * The live session at each place; null: free. A seat belongs to a device (an auth session) and is any two
     * of them: the track that plays and the next one.
     */
    seats: uuid('seats')
      .array()
      .notNull()
      .default(sql`'{}'`)
      .$type<(SessionId | null)[]>(),
    /** For each place one bit per key period that was paid for, the least significant first. */
    leased: bytea('leased')
      .array()
      .notNull()
      .default(sql`'{}'`),
  },
  (t) => [
    index('meters_plan_idx').on(t.plan, t.planRevision),
    check('meters_used_check', sql`${t.usedMs} >= 0 and ${t.dayBeforeMs} >= 0`),
  ],
)

/**
 * One row for each listening session that ended, in a table for each month (UTC) in which they began. A
 * trigger writes it. History, trending, recommendations and analytics read it and nothing else.
 */
export const listens = pgTable(
  'listens',
  {
    startedAt: instant('started_at').notNull(),
    sessionId: uuid('session_id').notNull().$type<SessionId>(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' })
      .$type<UserId>(),
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    endedAt: instant('ended_at').notNull(),
    /** Seconds that can really have been heard. */
    heardS: doublePrecision('heard_s').notNull(),
    /** Furthest position, seconds. */
    positionS: doublePrecision('position_s').notNull(),
    /** Whether it is a play: 30 s or half the track. */
    counted: boolean('counted').notNull(),
    /** Whether the listener went on within 10 s. */
    skipped: boolean('skipped').notNull(),
    completed: boolean('completed').notNull(),
    /** A scrobble was told by another program; it is history and never a play. */
    source: oneOf('source', ListenSource).notNull().default('session'),
    client: text('client'),
    /** ISO 3166-1, two letters; no address is kept. */
    country: text('country'),
  },
  (t) => [
    primaryKey({ columns: [t.startedAt, t.sessionId] }),
    index('listens_history_idx')
      .on(t.userId, t.startedAt.desc(), t.sessionId.desc())
      .where(sql`counted`),
    index('listens_track_idx').on(t.trackId, t.startedAt),
    check('listens_source_check', isOneOf(t.source, ListenSource)),
    check('listens_country_check', sql`${t.country} ~ '^[A-Z]{2}$'`),
  ],
)

/** Plays that counted, once a session; release 0.1.0 reads it, later ones read `listens`. */
export const playHistory = pgTable(
  'play_history',
  {
    sessionId: uuid('session_id').primaryKey().$type<SessionId>(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' })
      .$type<UserId>(),
    trackId: uuid('track_id')
      .notNull()
      .references(() => tracks.id, { onDelete: 'cascade' })
      .$type<TrackId>(),
    startedAt: instant('started_at').notNull(),
    heardS: doublePrecision('heard_s').notNull(),
    completed: boolean('completed').notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [index('play_history_user_idx').on(t.userId, t.startedAt.desc(), t.sessionId.desc())],
)

/** Totals per track, kept by the statement that counts the play. */
export const trackTotals = pgTable('track_totals', {
  trackId: uuid('track_id')
    .primaryKey()
    .references(() => tracks.id, { onDelete: 'cascade' })
    .$type<TrackId>(),
  plays: bigint('plays', { mode: 'number' }).notNull().default(0),
  completions: bigint('completions', { mode: 'number' }).notNull().default(0),
})

/** Totals per listener. */
export const userTotals = pgTable('user_totals', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' })
    .$type<UserId>(),
  plays: bigint('plays', { mode: 'number' }).notNull().default(0),
  completions: bigint('completions', { mode: 'number' }).notNull().default(0),
})
