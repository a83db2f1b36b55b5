import type { FamilyId, Role, UserId } from '@mist/db/contract'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'

/** What an auth session is now. */
export const AuthSessionState = z.enum(['live', 'signed-out', 'blocked'])

/** Of an access token: whose it is, by which auth session, and what it says about them. */
export type AuthSession = { userId: UserId; familyId: FamilyId; role: Role }

/**
 * One row, `state`: what became of an auth session since its access token was made. Statements that
 * read one's own data start from it, so that the token opens nothing after a sign-out or a block.
 * One that calls somebody an admin who no longer is has to be renewed, too.
 */
export const authSessionState = ({ userId, familyId, role }: AuthSession): SQL => sql`
  select coalesce((
    select case
      when f.revoked_at is not null then 'signed-out'
      when u.blocked_at is not null then 'blocked'
      when ${role}::text = 'admin' and u.role <> 'admin' then 'signed-out'
      else 'live'
    end
    from refresh_families f join users u on u.id = f.user_id
    where f.id = ${familyId} and f.user_id = ${userId}
  ), 'signed-out') as state`
