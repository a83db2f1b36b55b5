import type { FamilyId, Role, UserId } from '@mist/db/contract'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'

/** What an auth session is now. */
const AuthSessionState = z.enum(['live', 'signed-out', 'blocked'])

type State = z.infer<typeof AuthSessionState>

/** The state, in statements that select from `(authSessionState(…)) s`. */
export const STATE = sql<State>`s.state`

/** In a row of raw SQL: the auth session is live, */
export const LIVE = { state: z.literal('live') }

/** or it is not, and the row holds no more than that. */
export const NotLiveRow = z.object({ state: AuthSessionState.exclude(['live']) })

/** What an access token says: whose it is, of which auth session, and with which role. */
export type AuthSessionRef = { userId: UserId; familyId: FamilyId; role: Role }

/**
 * One row, `state`: what became of an auth session since its access token was made. Statements that
 * read a user's own data start from it, so that an access token opens nothing after a sign-out or a block.
 * The token of a former admin has to be renewed, too.
 */
export const authSessionState = ({ userId, familyId, role }: AuthSessionRef): SQL => sql`
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
