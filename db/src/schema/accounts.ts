import { sql } from 'drizzle-orm'
import {
  check,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { FamilyId, UserId } from '../contract/ids.ts'
import { DEFAULT_PLAN, type PlanId, Role } from '../contract/plans.ts'
import { RevokedReason } from '../contract/states.ts'
import { bytea, createdAt, instant, isOneOf, oneOf } from './columns.ts'
import { plans } from './plans.ts'

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey().$type<UserId>(),
    email: text('email').notNull(),
    username: text('username').notNull(),
    /** PHC string: `$scrypt$ln=14,r=8,p=5$salt$hash`. */
    passwordHash: text('password_hash').notNull(),
    role: oneOf('role', Role).notNull().default('user'),
    plan: text('plan')
      .notNull()
      .default(DEFAULT_PLAN)
      .references(() => plans.id)
      .$type<PlanId>(),
    /** Overrides the plan's daily budget, seconds; null means the plan's own. */
    dailyLimitS: integer('daily_limit_s'),
    blockedAt: instant('blocked_at'),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('users_email_key').on(sql`lower(${t.email})`),
    uniqueIndex('users_username_key').on(sql`lower(${t.username})`),
    check('users_role_check', isOneOf(t.role, Role)),
    check('users_daily_limit_check', sql`${t.dailyLimitS} >= 0`),
  ],
)

/** A sign-in on one device. Revoking it ends its tokens and its listening sessions. */
export const refreshFamilies = pgTable(
  'refresh_families',
  {
    id: uuid('id').primaryKey().$type<FamilyId>(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' })
      .$type<UserId>(),
    userAgent: text('user_agent'),
    createdAt: createdAt(),
    lastUsedAt: instant('last_used_at')
      .notNull()
      .default(sql`now()`),
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
    revokedReason: oneOf('revoked_reason', RevokedReason),
  },
  (t) => [index('refresh_families_user_idx').on(t.userId, t.lastUsedAt.desc())],
)

/** Refresh tokens, hashed with SHA-256 (they are 256 random bits, so a slow hash adds nothing). */
export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    tokenHash: bytea('token_hash').primaryKey(),
    familyId: uuid('family_id')
      .notNull()
      .references(() => refreshFamilies.id, { onDelete: 'cascade' })
      .$type<FamilyId>(),
    createdAt: createdAt(),
    /** Set when the token was exchanged for the next one; see `refresh_sign_in` for what then holds. */
    usedAt: instant('used_at'),
  },
  (t) => [index('refresh_tokens_family_idx').on(t.familyId)],
)

/**
 * How often passwords were tried: one row for each kind of limit and slot, a keyed hash of an address, an
 * account or both (see migration 0010). `level` rises with each try and leaks.
 */
export const guessLimits = pgTable(
  'guess_limits',
  {
    kind: text('kind').notNull(),
    slot: integer('slot').notNull(),
    level: doublePrecision('level').notNull(),
    /** When `level` was true. */
    at: instant('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.slot] })],
)

/** Networks that an account was signed in from, as keyed hashes: tries from there count by themselves. */
export const knownNetworks = pgTable(
  'known_networks',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' })
      .$type<UserId>(),
    networkHash: bytea('network_hash').notNull(),
    seenAt: instant('seen_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.networkHash] }),
    index('known_networks_seen_idx').on(t.seenAt),
  ],
)
