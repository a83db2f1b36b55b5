import { and, eq, ne, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { type KeyRing, unwrapMasterKey, wrapMasterKey } from './contract/content-keys.ts'
import { trackKeys } from './schema/catalogue.ts'
import type * as schema from './schema/index.ts'
import { type Actor, audit } from './statements/audit.ts'

/** Rows read at once. */
const BATCH = 200

/**
 * Wraps all master keys anew that are not under the ring's current key. Nothing is encoded again and
 * no listener is disturbed: the master keys themselves stay. May be stopped and started at any time.
 *
 * @param by who has it done; each batch, a transaction, is a row of the audit log
 * @returns how many were rewrapped
 * @throws Error when a row's key id is not in the ring: keep the old entry until this is done
 */
export async function rewrapKeys(
  db: PgDatabase<PgQueryResultHKT, typeof schema>,
  ring: KeyRing,
  by: Actor,
): Promise<number> {
  let rewrapped = 0
  for (;;) {
    const rows = await db
      .select()
      .from(trackKeys)
      .where(ne(trackKeys.kid, ring.currentKid))
      .limit(BATCH)
    if (rows.length === 0) return rewrapped
    await db.transaction(async (tx) => {
      for (const { trackId, version, kid, wrapped } of rows) {
        const master = await unwrapMasterKey(ring, kid, new Uint8Array(wrapped), trackId, version)
        const next = await wrapMasterKey(ring, master, trackId, version)
        await tx
          .update(trackKeys)
          .set(next)
          // Only what was read: a transcoder may have published in between.
          .where(
            and(
              eq(trackKeys.trackId, trackId),
              eq(trackKeys.version, version),
              eq(trackKeys.kid, kid),
            ),
          )
      }
      const details = { keys: rows.length, kid: ring.currentKid }
      await tx.execute(
        audit(by, { action: 'keys.rewrap', target: 'installation', details }, sql`track_keys`),
      )
    })
    rewrapped += rows.length
  }
}
