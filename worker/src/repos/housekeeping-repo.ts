import { refreshMeters } from '@mist/db/statements'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'
import { type AsOf, at, onlyRow } from './rows.ts'

/** Deletes what nothing will ask for again, and brings copies up to date. */
export function makeHousekeepingRepo({ db, asOf }: { db: Database; asOf: AsOf }) {
  return {
    /** Seconds by which the caller's clock is further from the database's than is to be believed; else 0. */
    async secondsOff(now: Date): Promise<number> {
      const { offS } = await onlyRow(
        db,
        z.object({ offS: z.number() }),
        sql`select date_part('epoch', ${at(now)} - ${asOf(now)}) as off_s`,
      )
      return offS
    },

    /** Copies the terms of plans that have changed; answers with how many meters that were. */
    refreshMeters: (): Promise<number> => refreshMeters((statement) => db.execute(statement)),

    /** Listening sessions that have been over for a while; what was heard is in the history. */
    async deleteSessionsBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(
        sql`delete from listening_sessions where ended_at < ${at(before)}`,
      )
      return rowCount
    },

    /** Refresh tokens that were exchanged; one that comes back after this is merely unknown. */
    async deleteUsedTokensBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(
        sql`delete from refresh_tokens where used_at < ${at(before)}`,
      )
      return rowCount
    },

    /** Counters of guesses that have leaked empty, all of them within a day. */
    async deleteGuessLimitsBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(sql`delete from guess_limits where at < ${at(before)}`)
      return rowCount
    },

    /** Networks that an account was not signed in to from for long. */
    async deleteKnownNetworksBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(
        sql`delete from known_networks where seen_at < ${at(before)}`,
      )
      return rowCount
    },

    /** Sign-ins that ended, or ran out, and with them their tokens and listening sessions. */
    async deleteFamiliesBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(sql`
        delete from refresh_families
        where expires_at < ${at(before)} or revoked_at < ${at(before)}`)
      return rowCount
    },
  }
}
