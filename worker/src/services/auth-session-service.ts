import { type FamilyId, REFRESH_TOKEN_S } from '@mist/db/contract'
import type { AuthSession, AuthTokens, Login } from '../contract/accounts.ts'
import type { Clock } from '../platform/clock.ts'
import type { KeyedHash } from '../platform/keyed-hash.ts'
import type { Log } from '../platform/log.ts'
import type { Passwords } from '../platform/passwords.ts'
import type { AccessClaims, Tokens } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'
import type { AuthSessionRepo } from '../repos/auth-session-repo.ts'
import type { GuessRepo } from '../repos/guess-repo.ts'
import type { AccountService } from './account-service.ts'
import { blocked, signedOut, tooManyTries } from './auth-refusals.ts'
import type { AuthTokenIssuer, Visitor } from './auth-tokens.ts'
import { guessSlots } from './guess-slots.ts'

/** Auth sessions: one for each sign-in on one device. */
export function makeAuthSessionService({
  authSessions,
  accounts,
  guesses,
  keyedHash,
  authTokens,
  tokens,
  passwords,
  clock,
  log,
}: {
  authSessions: AuthSessionRepo
  accounts: Pick<AccountService, 'me'>
  guesses: GuessRepo
  keyedHash: KeyedHash
  authTokens: AuthTokenIssuer
  tokens: Tokens
  passwords: Passwords
  clock: Clock
  log: Log
}) {
  return {
    /**
     * Signs in with e-mail and password. Guesses are counted before the password is looked at, by network
     * and by account; see docs/decisions/0013-guessing.md.
     *
     * @param known a refresh token that the visitor's browser holds: one of this account sets it apart
     */
    async login(
      { email, password }: Login,
      { userAgent, network }: Visitor,
      known: string | undefined,
    ): Promise<AuthTokens> {
      const slots = await guessSlots(keyedHash, email, network)
      const knownHash = known === undefined ? null : await tokens.hashRefresh(known)
      const reserved = await guesses.reserveSignIn(email, slots, knownHash, clock())
      if (reserved.kind === 'refused')
        throw tooManyTries(
          'Too many passwords were tried. A network or browser that you signed in from before still gets in.',
          reserved.waitS,
        )
      const { account, lane } = reserved
      const { matches, outdated } = await passwords.verifyPassword(
        password,
        account?.passwordHash ?? null,
      )
      if (!account || !matches)
        throw new Problem('invalid-credentials', 'Check the e-mail address and the password.')
      if (account.isBlocked) throw blocked()
      const { refreshToken, session } = await authTokens.begin(userAgent)
      const rehash = outdated ? await passwords.hashPassword(password) : null
      await authSessions.insert(account.user.id, session, rehash, { lane, slots })
      return authTokens.issue(account.user, session, refreshToken)
    },

    /**
     * Exchanges a refresh token for new tokens. The last one before the current may come again within
     * {@link REFRESH_GRACE_S} and gets the same refresh token; any other that was used before ends its
     * whole family.
     */
    async refresh(refreshToken: string | undefined): Promise<AuthTokens> {
      if (refreshToken === undefined)
        throw new Problem('refresh-invalid', 'There is no refresh token. Sign in again.')
      const now = clock()
      const next = await tokens.nextRefresh(refreshToken)
      const rotation = await authSessions.rotate(
        await tokens.hashRefresh(refreshToken),
        next.hash,
        now,
        new Date(now.getTime() + REFRESH_TOKEN_S * 1000),
      )
      const { outcome, familyId, user, expiresAt } = rotation
      if (outcome === 'repeated') log.info('refresh-repeated', { familyId })
      if ((outcome === 'rotated' || outcome === 'repeated') && user && familyId && expiresAt)
        return authTokens.issue(user, { familyId, expiresAt }, next.token)
      if (outcome === 'reused') {
        log.warn('refresh-reused', { familyId, userId: user?.id ?? null })
        throw new Problem(
          'refresh-reused',
          'This refresh token was used before, so somebody may have a copy of it. Sign in again.',
        )
      }
      if (outcome === 'blocked') throw blocked()
      throw new Problem('refresh-invalid', 'This session has ended. Sign in again.')
    },

    /**
     * Ends the auth sessions of an access token and of refresh tokens, whichever are given; usually all name
     * the same one. A refresh token that was exchanged names its family, too. Ending it twice is fine.
     */
    async logout(current: AccessClaims | null, refreshTokens: readonly string[]): Promise<void> {
      const found = await Promise.all(
        [...new Set(refreshTokens)].map(async (token) =>
          authSessions.findByToken(await tokens.hashRefresh(token)),
        ),
      )
      const families = new Map(
        [current, ...found].flatMap((family) => (family ? [[family.familyId, family.userId]] : [])),
      )
      const now = clock()
      for (const [familyId, userId] of families)
        // oxlint-disable-next-line no-await-in-loop -- one, except for a client that mixes two
        await authSessions.revoke(userId, familyId, 'logout', now)
    },

    /** The live auth sessions of an account. */
    async list(current: AccessClaims): Promise<AuthSession[]> {
      const found = await authSessions.list(current, clock())
      if (found.state === 'blocked') throw blocked()
      if (found.state !== 'live') throw signedOut()
      return found.sessions.map((session) => ({
        id: session.id,
        userAgent: session.userAgent,
        createdAt: session.createdAt.toISOString(),
        lastUsedAt: session.lastUsedAt.toISOString(),
        expiresAt: session.expiresAt.toISOString(),
        current: session.id === current.familyId,
      }))
    },

    /** Ends one auth session. */
    async revoke(current: AccessClaims, familyId: FamilyId): Promise<void> {
      await accounts.me(current)
      if (!(await authSessions.revoke(current.userId, familyId, 'revoked', clock())))
        throw new Problem('not-found', 'There is no such session, or it has ended.')
    },

    /** Ends all auth sessions but the current one. */
    async revokeOthers(current: AccessClaims): Promise<void> {
      await accounts.me(current)
      await authSessions.revokeOthers(current.userId, current.familyId, clock())
    },
  }
}
