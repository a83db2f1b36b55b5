import { cleanText, FamilyId, newId, REFRESH_TOKEN_S, UserId } from '@mist/db/contract'
import type {
  Device,
  Login,
  PasswordChange,
  Registration,
  SignIn,
  User,
} from '../contract/accounts.ts'
import type { Clock } from '../platform/clock.ts'
import type { KeyedHash } from '../platform/keyed-hash.ts'
import type { Log } from '../platform/log.ts'
import type { Network } from '../platform/networks.ts'
import type { Passwords } from '../platform/passwords.ts'
import type { AccessClaims, Tokens } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'
import type { AccountRepo } from '../repos/account-repo.ts'
import type { GuessRepo } from '../repos/guess-repo.ts'
import { guessSlots } from './guess-slots.ts'
import { whyTooEasy } from './password-rules.ts'

/** Longest part of a User-Agent that is kept for the list of devices. */
const USER_AGENT_CHARS = 300

const blocked = () =>
  new Problem('account-blocked', 'This account is blocked. Ask the people who run this service.')
const signedOut = () =>
  new Problem('signed-out', 'This sign-in has ended, or its access token is out of date.')

/** Whole seconds from one instant to a later one; 0 where it is past. */
function wholeSecondsBetween(from: Date, to: Date): number {
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / 1000))
}

/** Who asks to be signed in, as far as the request tells. */
export type Asker = { userAgent: string | null; network: Network }

/** A wait as a person would say it. */
function inWords(waitS: number): string {
  if (waitS <= 90) return `${Math.ceil(waitS)} seconds`
  const minutes = Math.ceil(waitS / 60)
  return minutes <= 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

function tooManyTries(what: string, retryAfterS: number): Problem {
  return new Problem('rate-limited', `${what} Please wait ${inWords(retryAfterS)}.`, {
    retryAfterS,
  })
}

/** @throws Problem `validation-failed` about the field, where a new password is too easily guessed */
function refuseEasy(
  path: string,
  password: string,
  person: { email: string; username: string },
): void {
  const message = whyTooEasy(password, person)
  if (message !== null)
    throw new Problem('validation-failed', message, { errors: [{ path, message }] })
}

/** Accounts and sign-ins. */
export function makeAccountService({
  accounts,
  guesses,
  keyedHash,
  tokens,
  passwords,
  clock,
  log,
}: {
  accounts: AccountRepo
  guesses: GuessRepo
  keyedHash: KeyedHash
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
        userAgent: userAgent === null ? null : cleanText(userAgent, USER_AGENT_CHARS),
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
    const now = clock()
    return {
      user,
      accessToken: access.token,
      accessExpiresAt: access.expiresAt.toISOString(),
      accessExpiresInS: wholeSecondsBetween(now, access.expiresAt),
      refreshToken,
      refreshExpiresAt: refreshExpiresAt.toISOString(),
      refreshExpiresInS: wholeSecondsBetween(now, refreshExpiresAt),
    }
  }

  /** The account as it is now, whatever the token said about it. */
  async function currentUser({ userId, familyId }: AccessClaims): Promise<User> {
    const found = await accounts.findSignedIn(userId, familyId)
    if (!found || found.isRevoked) throw signedOut()
    if (found.isBlocked) throw blocked()
    return found.user
  }

  /** The account, for a token that does not call somebody an admin who no longer is. */
  async function signedIn(who: AccessClaims): Promise<User> {
    const user = await currentUser(who)
    if (who.role === 'admin' && user.role !== 'admin') throw signedOut()
    return user
  }

  return {
    /** Makes an account and signs it in. */
    async register(registration: Registration, { userAgent, network }: Asker): Promise<SignIn> {
      refuseEasy('password', registration.password, registration)
      const { refreshToken, row } = await prepare(userAgent)
      // It tells whether an address has an account, and it costs a hash: so it is counted, too.
      const slots = await guessSlots(keyedHash, registration.email, network)
      const waitS = await guesses.reserveRegistration(slots, row.now)
      if (waitS > 0) throw tooManyTries('Too many accounts were made from here lately.', waitS)
      const passwordHash = await passwords.hashPassword(registration.password)
      const userId = newId(UserId, row.now.getTime())
      const user = await accounts.register(userId, registration, passwordHash, row, slots)
      if (user === 'email-taken')
        throw new Problem('email-taken', 'Sign in with this e-mail address, or use another one.')
      if (user === 'username-taken')
        throw new Problem('username-taken', 'Somebody has this username. Choose another one.')
      return answer(user, row.familyId, refreshToken, row.expiresAt)
    },

    /**
     * Signs in with e-mail and password. Tries are counted before the password is looked at, by network
     * and by account; see docs/decisions/0013-guessing.md.
     *
     * @param known a refresh token that the asker's browser holds: one of the account's own sets it apart
     */
    async login(
      { email, password }: Login,
      { userAgent, network }: Asker,
      known: string | undefined,
    ): Promise<SignIn> {
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
      const { refreshToken, row } = await prepare(userAgent)
      const rehash = outdated ? await passwords.hashPassword(password) : null
      await accounts.signIn(account.user.id, row, rehash, { lane, slots })
      return answer(account.user, row.familyId, refreshToken, row.expiresAt)
    },

    /**
     * Exchanges a refresh token for new tokens. The last one before the current may come again within
     * {@link REFRESH_GRACE_S} and gets the same refresh token; any other that was used before ends its
     * whole family.
     */
    async refresh(refreshToken: string | undefined): Promise<SignIn> {
      if (refreshToken === undefined)
        throw new Problem('refresh-invalid', 'There is no refresh token. Sign in again.')
      const now = clock()
      const next = await tokens.nextRefresh(refreshToken)
      const rotation = await accounts.rotate(
        await tokens.hashRefresh(refreshToken),
        next.hash,
        now,
        new Date(now.getTime() + REFRESH_TOKEN_S * 1000),
      )
      const { outcome, familyId, user, expiresAt } = rotation
      if (outcome === 'repeated') log.info('refresh-repeated', { familyId })
      if ((outcome === 'rotated' || outcome === 'repeated') && user && familyId && expiresAt)
        return answer(user, familyId, next.token, expiresAt)
      if (outcome === 'reused') {
        log.warn('refresh-reused', { familyId, userId: user?.id ?? null })
        throw new Problem(
          'refresh-reused',
          'This refresh token was used before, so somebody may have a copy of it. Sign in again.',
        )
      }
      if (outcome === 'blocked') throw blocked()
      throw new Problem('refresh-invalid', 'This sign-in has ended. Sign in again.')
    },

    /**
     * Ends the sign-ins of an access token and of refresh tokens, whichever are given; usually all name
     * the same one. A refresh token that was exchanged names its family, too. Ending it twice is fine.
     */
    async logout(who: AccessClaims | null, refreshTokens: readonly string[]): Promise<void> {
      const found = await Promise.all(
        [...new Set(refreshTokens)].map(async (token) =>
          accounts.findFamily(await tokens.hashRefresh(token)),
        ),
      )
      const families = new Map(
        [who, ...found].flatMap((family) => (family ? [[family.familyId, family.userId]] : [])),
      )
      const now = clock()
      for (const [familyId, userId] of families)
        // oxlint-disable-next-line no-await-in-loop -- it is one, but for a client that mixes two
        await accounts.revoke(userId, familyId, 'logout', now)
    },

    /** The account as it is now; refuses a sign-in that has ended. */
    me: signedIn,

    /** Refuses all but admins, by what the database says now, not by what the token said once. */
    async requireAdmin(who: AccessClaims): Promise<void> {
      const user = await currentUser(who)
      if (user.role !== 'admin')
        throw new Problem('forbidden', 'Only admins of this service may do this.')
    },

    /** Lists the devices that are signed in. */
    async devices(who: AccessClaims): Promise<Device[]> {
      const found = await accounts.devices(who, clock())
      if (found.state === 'blocked') throw blocked()
      if (found.state !== 'live') throw signedOut()
      return found.devices.map((device) => ({
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
    async changePassword(
      who: AccessClaims,
      change: PasswordChange,
      network: Network,
    ): Promise<void> {
      const user = await signedIn(who)
      const slots = await guessSlots(keyedHash, user.email, network)
      // Counted for each sign-in by itself: whoever knocks at the front door doesn't close this one.
      const { account: slot } = await guessSlots(keyedHash, who.familyId, network)
      const { waitS, passwordHash: current } = await guesses.reservePasswordCheck(
        who.userId,
        slot,
        clock(),
      )
      if (waitS > 0) throw tooManyTries('The current password was wrong too often.', waitS)
      const { matches } = await passwords.verifyPassword(change.currentPassword, current)
      if (!matches) throw new Problem('invalid-credentials', 'The current password is wrong.')
      refuseEasy('newPassword', change.newPassword, user)
      const passwordHash = await passwords.hashPassword(change.newPassword)
      await accounts.changePassword(who.userId, who.familyId, passwordHash, clock(), {
        slot,
        slots,
      })
    },
  }
}
