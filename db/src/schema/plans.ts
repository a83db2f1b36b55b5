import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  doublePrecision,
  integer,
  pgTable,
  smallint,
  text,
} from 'drizzle-orm/pg-core'
import type { PlanId } from '../contract/plans.ts'

/**
 * What each plan allows; these numbers are nowhere else. Triggers and a schedule copy them into the meters of
 * its users: at once where a user's plan changes, within a minute where the row does.
 */
export const plans = pgTable(
  'plans',
  {
    id: text('id').primaryKey().$type<PlanId>(),
    /** As people read it. */
    name: text('name').notNull(),
    /** Milliseconds of audio per UTC day; null is unlimited (still paced). */
    dailyMs: bigint('daily_ms', { mode: 'number' }),
    /** Devices (auth sessions) that listen at once; a new one beyond that supersedes the oldest. */
    devices: smallint('devices').notNull(),
    /** Highest rendition offered, bits per second; null is all. */
    maxBitrate: integer('max_bitrate'),
    /** Depth of the pace bucket: milliseconds of audio that may be leased ahead of real time. */
    paceDepthMs: doublePrecision('pace_depth_ms').notNull(),
    /** Refill of the pace bucket: seconds of audio per second of real time. */
    paceRate: doublePrecision('pace_rate').notNull(),
    /** Counted up by a trigger whenever the terms change. */
    revision: integer('revision').notNull().default(1),
  },
  (t) => [
    check('plans_id_check', sql`${t.id} ~ '^[a-z][a-z0-9-]{0,39}$'`),
    check(
      'plans_terms_check',
      sql`${t.dailyMs} >= 0 and ${t.devices} between 1 and 100 and ${t.maxBitrate} > 0
        and ${t.paceDepthMs} > 0 and ${t.paceRate} > 0`,
    ),
  ],
)
