import { FamilyId, newId, REFRESH_TOKEN_S, UserId } from '@mist/db/contract'
import type {
  Device,
  Login,
  PasswordChange,
  Registration,
  SignIn,
  User,
} from '../contract/accounts.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Passwords } from '../platform/passwords.ts'
import type { AccessClaims, Tokens } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'
import type { AccountRepo } from '../repos/account-repo.ts'

/** Longest part of a User-Agent that is kept for the list of devices. */
const USER_AGENT_CHARS = 300

const BLOCKED = 'This account is blocked. Ask the people who run this service.'

/** Accounts and sign-ins. */
export function makeAccountService({
  accounts,
  tokens,
  passwords,
  clock,
  log,
}: {
  accounts: AccountRepo
  tokens: Tokens
  passwords: Passwords
  clock: Clock
  log: Log
}) {
  async function prepare(userAgent: string | null) {
    const now = clock()
    const { token, hash } = await tokens.makeRefresh()
    const expiresAt = new Date(now.getTime() + REFRESH_TOKEN_S * 1000)
    return {
      refreshToken: token,
      row: {
        familyId: newId(FamilyId, now.getTime()),
        tokenHash: hash,
        userAgent: userAgent?.slice(0, USER_AGENT_CHARS) ?? null,
        now,
        expiresAt,
      },
    }
  }

  async function answer(
    user: User,
    familyId: FamilyId,
    refreshToken: string,
    refreshExpiresAt: Date,
  ): Promise<SignIn> {
    const access = await tokens.issueAccess({
      userId: user.id,
      familyId,
      role: user.role,
      plan: user.plan,
    })
    return {
      user,
      accessToken: access.token,
      accessExpiresAt: access.expiresAt.toISOString(),
      refreshToken,
      refreshExpiresAt: refreshExpiresAt.toISOString(),
    }
  }

  async function signedIn({ userId, familyId }: AccessClaims): Promise<User> {
    const found = await accounts.findSignedIn(userId, familyId)
    if (!found || found.isRevoked)
      throw new Problem('signed-out', 'This sign-in has ended. Sign in again.')
    if (found.isBlocked) throw new Problem('account-blocked', BLOCKED)
    return found.user
  }

  return {
    /** Makes an account and signs it in. */
    async register(registration: Registration, userAgent: string | null): Promise<SignIn> {
      const { refreshToken, row } = await prepare(userAgent)
      const passwordHash = await passwords.hashPassword(registration.password)
      const userId = newId(UserId, row.now.getTime())
      const user = await accounts.register(userId, registration, passwordHash, row)
      if (user === 'email-taken')
        throw new Problem('email-taken', 'Sign in with this e-mail address, or use another one.')
      if (user === 'username-taken')
        throw new Problem('username-taken', 'Somebody has this username. Choose another one.')
      return answer(user, row.familyId, refreshToken, row.expiresAt)
    },

    /** Signs in with e-mail and password. */
    async login({ email, password }: Login, userAgent: string | null): Promise<SignIn> {
      const account = await accounts.findByEmail(email)
      const { matches, outdated } = await passwords.verifyPassword(
        password,
        account?.passwordHash ?? null,
      )
      if (!account || !matches)
        throw new Problem('invalid-credentials', 'Check the e-mail address and the password.')
      if (account.isBlocked) throw new Problem('account-blocked', BLOCKED)
      const { refreshToken, row } = await prepare(userAgent)
      const rehash = outdated ? await passwords.hashPassword(password) : null
      await accounts.signIn(account.user.id, row, rehash)
      return answer(account.user, row.familyId, refreshToken, row.expiresAt)
    },

    /** Exchanges a refresh token for new tokens. One that was used before ends its whole family. */
    async refresh(refreshToken: string | undefined): Promise<SignIn> {
      if (refreshToken === undefined)
        throw new Problem('refresh-invalid', 'There is no refresh token. Sign in again.')
      const now = clock()
      const expiresAt = new Date(now.getTime() + REFRESH_TOKEN_S * 1000)
      const next = await tokens.makeRefresh()
      const { outcome, familyId, user } = await accounts.rotate(
        await tokens.hashRefresh(refreshToken),
        next.hash,
        now,
        expiresAt,
      )
      if (outcome === 'rotated' && user && familyId)
        return answer(user, familyId, next.token, expiresAt)
      if (outcome === 'reused') {
        log.warn('refresh-reused', { familyId, userId: user?.id ?? null })
        throw new Problem(
          'refresh-reused',
          'This refresh token was used before, so somebody may have a copy of it. Sign in again.',
        )
      }
      if (outcome === 'blocked') throw new Problem('account-blocked', BLOCKED)
      throw new Problem('refresh-invalid', 'This sign-in has ended. Sign in again.')
    },

    /** Ends a sign-in by its access token, or by its refresh token; ending it twice is fine. */
    async logout(who: AccessClaims | null, refreshToken: string | undefined): Promise<void> {
      const family =
        who ??
        (refreshToken === undefined
          ? null
          : await accounts.findFamily(await tokens.hashRefresh(refreshToken)))
      if (family) await accounts.revoke(family.userId, family.familyId, 'logout', clock())
    },

    /** The account as it is now; refuses a sign-in that has ended. */
    me: signedIn,

    /** Refuses all but admins, by what the database says now, not by what the token said once. */
    async requireAdmin(who: AccessClaims): Promise<void> {
      const user = await signedIn(who)
      if (user.role !== 'admin')
        throw new Problem('forbidden', 'Only admins of this service may do this.')
    },

    /** Lists the devices that are signed in. */
    async devices(who: AccessClaims): Promise<Device[]> {
      await signedIn(who)
      const devices = await accounts.devices(who.userId, clock())
      return devices.map((device) => ({
        id: device.id,
        userAgent: device.userAgent,
        createdAt: device.createdAt.toISOString(),
        lastUsedAt: device.lastUsedAt.toISOString(),
        expiresAt: device.expiresAt.toISOString(),
        current: device.id === who.familyId,
      }))
    },

    /** Signs one device out. */
    async revokeDevice(who: AccessClaims, familyId: FamilyId): Promise<void> {
      await signedIn(who)
      if (!(await accounts.revoke(who.userId, familyId, 'revoked', clock())))
        throw new Problem('not-found', 'No such device is signed in.')
    },

    /** Signs all other devices out. */
    async revokeOtherDevices(who: AccessClaims): Promise<void> {
      await signedIn(who)
      await accounts.revokeOthers(who.userId, who.familyId, clock())
    },

    /** Changes the password and signs all other devices out. */
    async changePassword(who: AccessClaims, change: PasswordChange): Promise<void> {
      const { email } = await signedIn(who)
      const account = await accounts.findByEmail(email)
      const { matches } = await passwords.verifyPassword(
        change.currentPassword,
        account?.passwordHash ?? null,
      )
      if (!matches) throw new Problem('invalid-credentials', 'The current password is wrong.')
      const passwordHash = await passwords.hashPassword(change.newPassword)
      await accounts.changePassword(who.userId, who.familyId, passwordHash, clock())
    },
  }
}
