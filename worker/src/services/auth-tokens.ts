import { cleanText, FamilyId, newId, REFRESH_TOKEN_S } from '@mist/db/contract'
import type { AuthTokens, User } from '../contract/accounts.ts'
import type { Clock } from '../platform/clock.ts'
import type { Network } from '../platform/networks.ts'
import type { Tokens } from '../platform/tokens.ts'
import type { NewAuthSession } from '../repos/auth-session-repo.ts'

/** Longest part of a User-Agent that is kept for the list of auth sessions. */
const USER_AGENT_CHARS = 300

/** Who wants to sign in, as far as the request tells. */
export type Visitor = { userAgent: string | null; network: Network }

/** Whole seconds from one instant to a later one; 0 where it is past. */
function wholeSecondsBetween(from: Date, to: Date): number {
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / 1000))
}

/** Makes auth sessions, and the tokens that their owners hold. */
export function makeAuthTokens({ tokens, clock }: { tokens: Tokens; clock: Clock }) {
  return {
    /** An auth session that is still to be stored, and its first refresh token. */
    async begin(
      userAgent: string | null,
    ): Promise<{ refreshToken: string; session: NewAuthSession }> {
      const now = clock()
      const { token, hash } = await tokens.makeRefresh()
      return {
        refreshToken: token,
        session: {
          familyId: newId(FamilyId, now.getTime()),
          tokenHash: hash,
          userAgent: userAgent === null ? null : cleanText(userAgent, USER_AGENT_CHARS),
          now,
          expiresAt: new Date(now.getTime() + REFRESH_TOKEN_S * 1000),
        },
      }
    },

    /** What the owner of an auth session is given: a fresh access token beside the refresh token. */
    async issue(
      user: User,
      session: { familyId: FamilyId; expiresAt: Date },
      refreshToken: string,
    ): Promise<AuthTokens> {
      const { id: userId, role, plan } = user
      const { familyId, expiresAt } = session
      const access = await tokens.issueAccess({ userId, familyId, role, plan })
      const now = clock()
      return {
        user,
        accessToken: access.token,
        accessExpiresAt: access.expiresAt.toISOString(),
        accessExpiresInS: wholeSecondsBetween(now, access.expiresAt),
        refreshToken,
        refreshExpiresAt: expiresAt.toISOString(),
        refreshExpiresInS: wholeSecondsBetween(now, expiresAt),
      }
    },
  }
}

export type AuthTokenIssuer = ReturnType<typeof makeAuthTokens>
