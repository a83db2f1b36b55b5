import type { FamilyId, UserId } from '@mist/db/contract'
import { refreshFamilies, users } from '@mist/db/schema'
import { and, eq, sql } from 'drizzle-orm'
import type { Registration, User } from '../contract/accounts.ts'
import { type Database, violatedUnique } from '../platform/database.ts'
import type { GuessSlots } from '../services/guess-slots.ts'
import { insertAuthSession, type NewAuthSession } from './auth-session-repo.ts'
import { type AsOf, at, maybeBytes, onlyRow, UserRow } from './rows.ts'

export function makeAccountRepo({ db, asOf }: { db: Database; asOf: AsOf }) {
  return {
    /** Inserts an account with its first auth session; says which name is taken, if one is. */
    async register(
      userId: UserId,
      { email, username }: Registration,
      passwordHash: string,
      session: NewAuthSession,
      slots: GuessSlots,
    ): Promise<User | 'email-taken' | 'username-taken'> {
      try {
        return await onlyRow(
          db,
          UserRow,
          sql`with account as (
            insert into users (id, email, username, password_hash, created_at)
            values (${userId}, ${email}, ${username}, ${passwordHash}, ${at(session.now)})
            returning id, email, username, role, plan
          ), ${insertAuthSession(session, asOf)}, known as (
            insert into known_networks (user_id, network_hash, seen_at)
            select account.id, ${maybeBytes(slots.networkHash)}, ${asOf(session.now)} from account
            where ${slots.networkHash !== null}
          )
          select id, email, username, role, plan from account`,
        )
      } catch (error) {
        const constraint = violatedUnique(error)
        if (constraint === 'users_email_key') return 'email-taken'
        if (constraint === 'users_username_key') return 'username-taken'
        throw error
      }
    },

    /** The account of an auth session as it is now, or null when there is none. */
    async find(userId: UserId, familyId: FamilyId) {
      const [row] = await db
        .select({
          user: {
            id: users.id,
            email: users.email,
            username: users.username,
            role: users.role,
            plan: users.plan,
          },
          blockedAt: users.blockedAt,
          revokedAt: refreshFamilies.revokedAt,
        })
        .from(users)
        .innerJoin(refreshFamilies, eq(refreshFamilies.userId, users.id))
        .where(and(eq(users.id, userId), eq(refreshFamilies.id, familyId)))
      return row ?? null
    },

    /**
     * Sets another password hash; all other auth sessions end with it, and so does their listening. Of the
     * networks that the account knows only this one stays, and the guess at the password is given back.
     */
    async changePassword(
      userId: UserId,
      keep: FamilyId,
      passwordHash: string,
      now: Date,
      { slot, slots }: { slot: number; slots: GuessSlots },
    ): Promise<void> {
      await db.execute(sql`
        with changed as (
          update users set password_hash = ${passwordHash} where id = ${userId}
        ), forgotten as (
          delete from known_networks where user_id = ${userId}
            and network_hash is distinct from ${maybeBytes(slots.networkHash)}
        ), given_back as (
          update guess_limits set level = greatest(0, level - 1)
          where kind = 'password' and slot = ${slot}
        )
        update refresh_families set revoked_at = ${at(now)}, revoked_reason = 'password-change'
        where user_id = ${userId} and id <> ${keep} and revoked_at is null`)
    },
  }
}

export type AccountRepo = ReturnType<typeof makeAccountRepo>
