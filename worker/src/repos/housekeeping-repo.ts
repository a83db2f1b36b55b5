import { sql } from 'drizzle-orm'
import type { Database } from '../platform/database.ts'
import { at } from './rows.ts'

/** Deletes what nothing will ask for again. */
export function makeHousekeepingRepo({ db }: { db: Database }) {
  return {
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

    /** Sign-ins that ended, or ran out, and with them their tokens and listening sessions. */
    async deleteFamiliesBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(sql`
        delete from refresh_families
        where expires_at < ${at(before)} or revoked_at < ${at(before)}`)
      return rowCount
    },
  }
}
