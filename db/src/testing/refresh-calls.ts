import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { FamilyId } from '../contract/ids.ts'
import { REFRESH_GRACE_S, REFRESH_TOKEN_S } from '../contract/limits.ts'
import { refreshTokens } from '../schema/index.ts'
import type { AnyDatabase } from './factories.ts'

/** The hash that stands for a token of this name, and so for the one derived from `${name}'`. */
export const tokenHash = (name: string) => createHash('sha256').update(name).digest()

export type Refresh = { outcome: string; family_id: string | null; expires_at: unknown }

/** Calls `refresh_sign_in` as the Worker does; the token after `a` is `a'`, the one after it `a''`. */
export function makeRefreshCalls(db: AnyDatabase) {
  return {
    async firstToken(familyId: FamilyId, name: string, now: Date): Promise<void> {
      await db
        .insert(refreshTokens)
        .values({ tokenHash: tokenHash(name), familyId, createdAt: now })
    },
    async refresh(name: string, now: Date, next = `${name}'`): Promise<Refresh> {
      const expiresAt = new Date(now.getTime() + REFRESH_TOKEN_S * 1000)
      const result: unknown = await db.execute(
        sql`select outcome, family_id, expires_at from refresh_sign_in(
              decode(${tokenHash(name).toString('hex')}, 'hex'),
              decode(${tokenHash(next).toString('hex')}, 'hex'),
              ${now.toISOString()}, ${expiresAt.toISOString()}, ${REFRESH_GRACE_S}::int)`,
      )
      const { rows } = result as { rows: Refresh[] }
      return rows[0]!
    },
  }
}
