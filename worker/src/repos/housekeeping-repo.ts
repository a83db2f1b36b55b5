import { sql } from 'drizzle-orm'
import type { Database } from '../platform/database.ts'
import { at } from './rows.ts'

/** Deletes what nothing will ask for again. */
export function makeHousekeepingRepo({ db }: { db: Database }) {
  return {
    /** Leases are the memory of a session; they go when it has been over for a while. */
    async deleteLeasesBefore(before: Date): Promise<number> {
      const { rowCount } = await db.execute(sql`
        delete from leases l using listening_sessions s
        where s.id = l.session_id and s.ended_at < ${at(before)}`)
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
