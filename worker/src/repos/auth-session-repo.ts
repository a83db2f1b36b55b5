import { FamilyId, REFRESH_GRACE_S, type UserId } from '@mist/db/contract'
import { refreshFamilies, refreshTokens } from '@mist/db/schema'
import { and, eq, gt, isNull, ne, or, sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import type { GuessSlots } from '../services/guess-slots.ts'
import { type AuthSessionRef, authSessionState, STATE } from './auth-session-state.ts'
import { acceptSignIn, type Lane } from './guess-repo.ts'
import { type AsOf, at, bytes, Instant, onlyRow, UserRow, latestFirst } from './rows.ts'

const RotationRow = z.object({
  outcome: z.enum(['rotated', 'repeated', 'unknown', 'expired', 'revoked', 'blocked', 'reused']),
  familyId: FamilyId.nullable(),
  expiresAt: Instant.nullable(),
  user: UserRow.nullable(),
})

/** An auth session that begins, with the first refresh token of its family. */
export type NewAuthSession = {
  familyId: FamilyId
  tokenHash: Uint8Array
  userAgent: string | null
  now: Date
  expiresAt: Date
}

/** Inserts the family and its first token for the row of the CTE `account`. */
export const insertAuthSession = (session: NewAuthSession, asOf: AsOf): SQL => sql`
  family as (
    insert into refresh_families (id, user_id, user_agent, created_at, last_used_at, expires_at)
    select ${session.familyId}::uuid, account.id, ${session.userAgent}::text, ${asOf(session.now)},
           ${asOf(session.now)}, ${asOf(session.now)} + (${at(session.expiresAt)} - ${at(session.now)})
    from account
    returning id
  ), token as (
    insert into refresh_tokens (token_hash, family_id, created_at)
    select ${bytes(session.tokenHash)}, family.id, ${asOf(session.now)} from family
  )`

/** Auth sessions: each is one family of refresh tokens. */
export function makeAuthSessionRepo({ db, asOf }: { db: Database; asOf: AsOf }) {
  return {
    /** Inserts an auth session, and a better password hash where one was made; gives the guess back. */
    async insert(
      userId: UserId,
      session: NewAuthSession,
      rehash: string | null,
      { lane, slots }: { lane: Lane; slots: GuessSlots },
    ): Promise<void> {
      await db.execute(sql`
        with account as (
          update users set password_hash = coalesce(${rehash}::text, password_hash)
          where id = ${userId} returning id
        ), ${insertAuthSession(session, asOf)}
        select id, ${acceptSignIn(userId, lane, slots, asOf(session.now))} from account`)
    },

    /** Exchanges a refresh token for the next one; see `refresh_sign_in`. */
    rotate(oldHash: Uint8Array, newHash: Uint8Array, now: Date, expiresAt: Date) {
      return onlyRow(
        db,
        RotationRow,
        sql`select r.outcome, r.family_id, r.expires_at, case when u.id is not null then
              json_build_object('id', u.id, 'email', u.email, 'username', u.username, 'role', u.role,
                                'plan', u.plan) end as user
            from refresh_sign_in(${bytes(oldHash)}, ${bytes(newHash)}, ${asOf(now)},
                                 ${asOf(now)} + (${at(expiresAt)} - ${at(now)}), ${REFRESH_GRACE_S}::int) r
            left join users u on u.id = r.user_id`,
      )
    },

    /** Whose a refresh token is, and of which family. */
    async findByToken(tokenHash: Uint8Array) {
      const [row] = await db
        .select({ userId: refreshFamilies.userId, familyId: refreshFamilies.id })
        .from(refreshTokens)
        .innerJoin(refreshFamilies, eq(refreshFamilies.id, refreshTokens.familyId))
        .where(eq(refreshTokens.tokenHash, tokenHash))
      return row ?? null
    },

    /** The live auth sessions of an account, the last used first, for one of them that is live. */
    async list(current: AuthSessionRef, now: Date) {
      const rows = await db
        .select({
          state: STATE,
          session: {
            id: refreshFamilies.id,
            userAgent: refreshFamilies.userAgent,
            createdAt: refreshFamilies.createdAt,
            lastUsedAt: refreshFamilies.lastUsedAt,
            expiresAt: refreshFamilies.expiresAt,
          },
        })
        .from(sql`(${authSessionState(current)}) s`)
        .leftJoin(
          refreshFamilies,
          and(
            sql`${STATE} = 'live'`,
            eq(refreshFamilies.userId, current.userId),
            isNull(refreshFamilies.revokedAt),
            or(gt(refreshFamilies.expiresAt, now), eq(refreshFamilies.id, current.familyId)),
          ),
        )
        .orderBy(...latestFirst(refreshFamilies.lastUsedAt, refreshFamilies.id))
        .limit(100)
      const state = rows[0]?.state ?? 'signed-out'
      if (state !== 'live') return { state }
      return { state, sessions: rows.flatMap(({ session }) => session ?? []) }
    },

    /** Ends one auth session, and a trigger its listening sessions; `false` when it was not live. */
    async revoke(
      userId: UserId,
      familyId: FamilyId,
      revokedReason: 'logout' | 'revoked',
      revokedAt: Date,
    ): Promise<boolean> {
      const rows = await db
        .update(refreshFamilies)
        .set({ revokedAt, revokedReason })
        .where(
          and(
            eq(refreshFamilies.id, familyId),
            eq(refreshFamilies.userId, userId),
            isNull(refreshFamilies.revokedAt),
          ),
        )
        .returning({ id: refreshFamilies.id })
      return rows.length > 0
    },

    /** Ends all auth sessions of an account but one, and their listening sessions. */
    async revokeOthers(userId: UserId, keep: FamilyId, revokedAt: Date): Promise<void> {
      await db
        .update(refreshFamilies)
        .set({ revokedAt, revokedReason: 'revoked' })
        .where(
          and(
            eq(refreshFamilies.userId, userId),
            ne(refreshFamilies.id, keep),
            isNull(refreshFamilies.revokedAt),
          ),
        )
    },
  }
}

export type AuthSessionRepo = ReturnType<typeof makeAuthSessionRepo>
