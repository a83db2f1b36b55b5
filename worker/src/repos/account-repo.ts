import { FamilyId, Plan, REFRESH_GRACE_S, Role, UserId } from '@mist/db/contract'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Registration, User } from '../contract/accounts.ts'
import { type Database, violatedUnique } from '../platform/database.ts'
import type { GuessSlots } from '../services/guess-slots.ts'
import { type AuthSession, AuthSessionState, authSessionState } from './auth-session-state.ts'
import { acceptSignIn, type Lane } from './guess-repo.ts'
import { type AsOf, at, bytes, Instant, maybeBytes, rowOf, rowsOf } from './rows.ts'

const UserRow = z.object({
  id: UserId,
  email: z.string(),
  username: z.string(),
  role: Role,
  plan: Plan,
}) satisfies z.ZodType<User>

const LiveRow = UserRow.extend({ blocked_at: Instant.nullable(), revoked_at: Instant.nullable() })

const RotationRow = z.object({
  outcome: z.enum(['rotated', 'repeated', 'unknown', 'expired', 'revoked', 'blocked', 'reused']),
  family_id: FamilyId.nullable(),
  expires_at: Instant.nullable(),
  id: UserId.nullable(),
  email: z.string().nullable(),
  username: z.string().nullable(),
  role: Role.nullable(),
  plan: Plan.nullable(),
})

const DeviceRow = z.union([
  z.object({
    state: z.literal('live'),
    id: FamilyId,
    user_agent: z.string().nullable(),
    created_at: Instant,
    last_used_at: Instant,
    expires_at: Instant,
  }),
  z.object({ state: AuthSessionState.exclude(['live']) }),
])

/** The first refresh token of a sign-in. */
export type NewSignIn = {
  familyId: FamilyId
  tokenHash: Uint8Array
  userAgent: string | null
  now: Date
  expiresAt: Date
}

const USER_COLUMNS = sql.raw('u.id, u.email, u.username, u.role, u.plan')

/** Inserts the family and its first token for the rows of the CTE `who`. */
const signInFor = (signIn: NewSignIn, asOf: AsOf): SQL => sql`
  family as (
    insert into refresh_families (id, user_id, user_agent, created_at, last_used_at, expires_at)
    select ${signIn.familyId}::uuid, who.id, ${signIn.userAgent}::text, ${asOf(signIn.now)},
           ${asOf(signIn.now)}, ${asOf(signIn.now)} + (${at(signIn.expiresAt)} - ${at(signIn.now)})
    from who
    returning id
  ), token as (
    insert into refresh_tokens (token_hash, family_id, created_at)
    select ${bytes(signIn.tokenHash)}, family.id, ${asOf(signIn.now)} from family
  )`

export function makeAccountRepo({ db, asOf }: { db: Database; asOf: AsOf }) {
  return {
    /** Inserts an account with its first sign-in; says which name is taken where one is. */
    async register(
      userId: UserId,
      { email, username }: Registration,
      passwordHash: string,
      signIn: NewSignIn,
      slots: GuessSlots,
    ): Promise<User | 'email-taken' | 'username-taken'> {
      try {
        const user = await rowOf(
          db,
          UserRow,
          sql`with who as (
            insert into users (id, email, username, password_hash, created_at)
            values (${userId}, ${email}, ${username}, ${passwordHash}, ${at(signIn.now)})
            returning id, email, username, role, plan
          ), ${signInFor(signIn, asOf)}, known as (
            insert into known_networks (user_id, network_hash, seen_at)
            select who.id, ${maybeBytes(slots.networkHash)}, ${asOf(signIn.now)} from who
            where ${slots.networkHash !== null}
          )
          select ${USER_COLUMNS} from who u`,
        )
        if (!user) throw new Error('an insert returned no row')
        return user
      } catch (error) {
        const constraint = violatedUnique(error)
        if (constraint === 'users_email_key') return 'email-taken'
        if (constraint === 'users_username_key') return 'username-taken'
        throw error
      }
    },

    /** Inserts a sign-in, and a better password hash where one was made; gives the try back. */
    async signIn(
      userId: UserId,
      signIn: NewSignIn,
      rehash: string | null,
      { lane, slots }: { lane: Lane; slots: GuessSlots },
    ): Promise<void> {
      await db.execute(sql`
        with who as (
          update users set password_hash = coalesce(${rehash}::text, password_hash)
          where id = ${userId} returning id
        ), ${signInFor(signIn, asOf)}
        select id, ${acceptSignIn(userId, lane, slots, asOf(signIn.now))} from who`)
    },

    /** Exchanges a refresh token for the next one; see `refresh_sign_in`. */
    async rotate(oldHash: Uint8Array, newHash: Uint8Array, now: Date, expiresAt: Date) {
      const row = await rowOf(
        db,
        RotationRow,
        sql`select r.outcome, r.family_id, r.expires_at, ${USER_COLUMNS}
            from refresh_sign_in(${bytes(oldHash)}, ${bytes(newHash)}, ${asOf(now)},
                                 ${asOf(now)} + (${at(expiresAt)} - ${at(now)}), ${REFRESH_GRACE_S}::int) r
            left join users u on u.id = r.user_id`,
      )
      if (!row) throw new Error('refresh_sign_in returned no row')
      const { outcome, family_id: familyId, expires_at: endsAt, ...rest } = row
      return { outcome, familyId, expiresAt: endsAt, user: UserRow.safeParse(rest).data ?? null }
    },

    /** The account behind a sign-in as it is now, or null when there is none. */
    async findSignedIn(userId: UserId, familyId: FamilyId) {
      const row = await rowOf(
        db,
        LiveRow,
        sql`select ${USER_COLUMNS}, u.blocked_at, f.revoked_at
            from users u join refresh_families f on f.user_id = u.id
            where u.id = ${userId} and f.id = ${familyId}`,
      )
      if (!row) return null
      const { blocked_at: blockedAt, revoked_at: revokedAt, ...user } = row
      return { user, isBlocked: blockedAt !== null, isRevoked: revokedAt !== null }
    },

    /** The family that a refresh token belongs to. */
    async findFamily(
      tokenHash: Uint8Array,
    ): Promise<{ userId: UserId; familyId: FamilyId } | null> {
      const row = await rowOf(
        db,
        z.object({ user_id: UserId, id: FamilyId }),
        sql`select f.user_id, f.id from refresh_tokens r
            join refresh_families f on f.id = r.family_id
            where r.token_hash = ${bytes(tokenHash)}`,
      )
      return row && { userId: row.user_id, familyId: row.id }
    },

    /** The live sign-ins of an account, the last used first, for one of them that is live. */
    async devices(who: AuthSession, now: Date) {
      const rows = await rowsOf(
        db,
        DeviceRow,
        sql`select s.state, f.id, f.user_agent, f.created_at, f.last_used_at, f.expires_at
            from (${authSessionState(who)}) s left join refresh_families f
              on s.state = 'live' and f.user_id = ${who.userId} and f.revoked_at is null
              and (f.expires_at > ${at(now)} or f.id = ${who.familyId})
            order by f.last_used_at desc, f.id desc limit 100`,
      )
      const devices = []
      for (const row of rows) {
        if (row.state !== 'live') return { state: row.state }
        devices.push({
          id: row.id,
          userAgent: row.user_agent,
          createdAt: row.created_at,
          lastUsedAt: row.last_used_at,
          expiresAt: row.expires_at,
        })
      }
      return { state: 'live' as const, devices }
    },

    /** Ends one sign-in, and a trigger its listening sessions; `false` when it was not live. */
    async revoke(
      userId: UserId,
      familyId: FamilyId,
      reason: 'logout' | 'revoked',
      now: Date,
    ): Promise<boolean> {
      const row = await rowOf(
        db,
        z.object({ id: FamilyId }),
        sql`update refresh_families set revoked_at = ${at(now)}, revoked_reason = ${reason}
            where id = ${familyId} and user_id = ${userId} and revoked_at is null returning id`,
      )
      return row !== null
    },

    /** Ends all sign-ins of an account but one, and their listening sessions. */
    async revokeOthers(userId: UserId, keep: FamilyId, now: Date): Promise<void> {
      await db.execute(sql`
        update refresh_families set revoked_at = ${at(now)}, revoked_reason = 'revoked'
        where user_id = ${userId} and id <> ${keep} and revoked_at is null`)
    },

    /**
     * Sets another password hash; all other sign-ins end with it, and so does their listening. Of the
     * networks that the account knows only this one stays, and the try at the password is given back.
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
