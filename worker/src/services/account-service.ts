import { newId, UserId } from '@mist/db/contract'
import type { AuthTokens, PasswordChange, Registration, User } from '../contract/accounts.ts'
import type { Clock } from '../platform/clock.ts'
import type { KeyedHash } from '../platform/keyed-hash.ts'
import type { Network } from '../platform/networks.ts'
import type { Passwords } from '../platform/passwords.ts'
import type { AccessClaims } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'
import type { AccountRepo } from '../repos/account-repo.ts'
import type { GuessRepo } from '../repos/guess-repo.ts'
import { blocked, signedOut, tooManyTries } from './auth-refusals.ts'
import type { AuthTokenIssuer, Visitor } from './auth-tokens.ts'
import { guessSlots } from './guess-slots.ts'
import { whyTooEasy } from './password-rules.ts'

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

/** Accounts. */
export function makeAccountService({
  accounts,
  guesses,
  keyedHash,
  authTokens,
  passwords,
  clock,
}: {
  accounts: AccountRepo
  guesses: GuessRepo
  keyedHash: KeyedHash
  authTokens: AuthTokenIssuer
  passwords: Passwords
  clock: Clock
}) {
  /** The account as it is now, whatever the access token said about it. */
  async function currentUser({ userId, familyId }: AccessClaims): Promise<User> {
    const found = await accounts.find(userId, familyId)
    if (!found || found.revokedAt !== null) throw signedOut()
    if (found.blockedAt !== null) throw blocked()
    return found.user
  }

  /** The account, for an auth session that is live; the access token of a former admin is renewed first. */
  async function me(current: AccessClaims): Promise<User> {
    const user = await currentUser(current)
    if (current.role === 'admin' && user.role !== 'admin') throw signedOut()
    return user
  }

  return {
    /** Makes an account and its first auth session. */
    async register(
      registration: Registration,
      { userAgent, network }: Visitor,
    ): Promise<AuthTokens> {
      refuseEasy('password', registration.password, registration)
      const { refreshToken, session } = await authTokens.begin(userAgent)
      // Counted, since it tells whether an address has an account and costs a hash.
      const slots = await guessSlots(keyedHash, registration.email, network)
      const waitS = await guesses.reserveRegistration(slots, session.now)
      if (waitS > 0) throw tooManyTries('Too many accounts were made from here lately.', waitS)
      const passwordHash = await passwords.hashPassword(registration.password)
      const userId = newId(UserId, session.now.getTime())
      const user = await accounts.register(userId, registration, passwordHash, session, slots)
      if (user === 'email-taken')
        throw new Problem('email-taken', 'Sign in with this e-mail address, or use another one.')
      if (user === 'username-taken')
        throw new Problem('username-taken', 'Somebody has this username. Choose another one.')
      return authTokens.issue(user, session, refreshToken)
    },

    me,

    /** Refuses all but admins, by what the database says now, not by what the token said once. */
    async requireAdmin(current: AccessClaims): Promise<void> {
      const user = await currentUser(current)
      if (user.role !== 'admin')
        throw new Problem('forbidden', 'Only admins of this service may do this.')
    },

    /** Changes the password and ends all other auth sessions. */
    async changePassword(
      current: AccessClaims,
      change: PasswordChange,
      network: Network,
    ): Promise<void> {
      const user = await me(current)
      const slots = await guessSlots(keyedHash, user.email, network)
      // Counted for each auth session by itself: guesses at the sign-in page don't lock the owner out here.
      const { account: slot } = await guessSlots(keyedHash, current.familyId, network)
      const { waitS, passwordHash: currentHash } = await guesses.reservePasswordCheck(
        current.userId,
        slot,
        clock(),
      )
      if (waitS > 0) throw tooManyTries('The current password was wrong too often.', waitS)
      const { matches } = await passwords.verifyPassword(change.currentPassword, currentHash)
      if (!matches) throw new Problem('invalid-credentials', 'The current password is wrong.')
      refuseEasy('newPassword', change.newPassword, user)
      const passwordHash = await passwords.hashPassword(change.newPassword)
      await accounts.changePassword(current.userId, current.familyId, passwordHash, clock(), {
        slot,
        slots,
      })
    },
  }
}

export type AccountService = ReturnType<typeof makeAccountService>
