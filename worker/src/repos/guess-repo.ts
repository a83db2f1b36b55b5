import type { UserId } from '@mist/db/contract'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import type { GuessSlots } from '../services/guess-slots.ts'
import { type AsOf, Instant, maybeBytes, onlyRow, UserRow } from './rows.ts'

const Lane = z.enum(['known', 'newcomers', 'account'])
export type Lane = z.infer<typeof Lane>

const SignInRow = z.union([
  z.object({ lane: z.null(), waitS: z.number() }),
  z.object({ lane: Lane, id: z.null() }),
  UserRow.extend({
    lane: Lane,
    passwordHash: z.string(),
    blockedAt: Instant.nullable(),
  }),
])

/** Gives back what a successful login had reserved; a call for the end of its statement. */
export const acceptSignIn = (userId: UserId, lane: Lane, slots: GuessSlots, now: SQL): SQL => sql`
  accept_sign_in(${userId}, ${lane}, ${slots.account}::integer, ${slots.wideNetwork}::integer,
    ${slots.network}::integer, ${slots.pair}::integer, ${maybeBytes(slots.networkHash)}, ${now})`

/** Counts guesses at passwords before they are checked. Each method is one statement. */
export function makeGuessRepo({ db, asOf }: { db: Database; asOf: AsOf }) {
  return {
    /**
     * Lets one guess at an account through, with the account where there is one, or says how many seconds
     * to wait; see `reserve_sign_in`.
     */
    async reserveSignIn(
      email: string,
      slots: GuessSlots,
      refreshHash: Uint8Array | null,
      now: Date,
    ) {
      const row = await onlyRow(
        db,
        SignInRow,
        sql`select * from reserve_sign_in(${email}, ${slots.account}::integer,
              ${slots.wideNetwork}::integer, ${slots.network}::integer, ${slots.pair}::integer,
              ${maybeBytes(slots.networkHash)}, ${maybeBytes(refreshHash)}, ${slots.factor}::float8,
              ${asOf(now)})`,
      )
      if (row.lane === null) return { kind: 'refused', waitS: row.waitS } as const
      if (row.id === null) return { kind: 'reserved', lane: row.lane, account: null } as const
      const { lane, passwordHash, blockedAt, ...user } = row
      const account = { user, passwordHash, isBlocked: blockedAt !== null }
      return { kind: 'reserved', lane, account } as const
    },

    /** Counts a registration; seconds to wait where there were too many, or 0. */
    async reserveRegistration(slots: GuessSlots, now: Date): Promise<number> {
      const { waitS } = await onlyRow(
        db,
        z.object({ waitS: z.number() }),
        sql`select take_network_guess('wide-registrations', ${slots.wideNetwork}::integer,
              'registrations', ${slots.network}::integer, ${asOf(now)}, ${slots.factor}::float8) as wait_s`,
      )
      return waitS
    },

    /** Counts a guess at the current password of a user who is signed in; the hash, or seconds to wait. */
    reservePasswordCheck(userId: UserId, slot: number, now: Date) {
      return onlyRow(
        db,
        z.object({ waitS: z.number(), passwordHash: z.string().nullable() }),
        sql`select * from reserve_password_check(${userId}, ${slot}::integer, ${asOf(now)})`,
      )
    },
  }
}

export type GuessRepo = ReturnType<typeof makeGuessRepo>
