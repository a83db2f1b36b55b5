import {
  FamilyId,
  PASSWORD_MAX_CHARS,
  PASSWORD_MIN_CHARS,
  passwordChars,
  PlanId,
  Role,
  UserId,
} from '@mist/db/contract'
import { z } from 'zod'

/** An account, as its owner sees it. */
export const User = z
  .object({ id: UserId, email: z.string(), username: z.string(), role: Role, plan: PlanId })
  .meta({ id: 'User' })
export type User = z.infer<typeof User>

/** Lower case, so that one mailbox is one account. */
const Email = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email('This is not an e-mail address.').max(254))

const TOO_LONG = `A password has at most ${PASSWORD_MAX_CHARS} characters.`

/**
 * Longest password that is looked at, in UTF-16 units: room for {@link PASSWORD_MAX_CHARS} characters
 * of several units each, and little to normalise where more is sent.
 */
const MAX_UNITS = 5 * PASSWORD_MAX_CHARS

/** A new password; whether it is too easily guessed depends on whose it is, which the service asks. */
const NewPassword = z
  .string()
  .max(MAX_UNITS, TOO_LONG)
  .refine(
    (password) => password.length > MAX_UNITS || passwordChars(password) <= PASSWORD_MAX_CHARS,
    {
      message: TOO_LONG,
    },
  )
  .refine((password) => passwordChars(password) >= PASSWORD_MIN_CHARS, {
    message: `A password has at least ${PASSWORD_MIN_CHARS} characters.`,
  })
  .meta({ minLength: PASSWORD_MIN_CHARS, maxLength: PASSWORD_MAX_CHARS })

/** A password that is compared: older accounts may have shorter ones. */
const KnownPassword = z.string().min(1).max(MAX_UNITS)

export const Registration = z
  .object({
    email: Email,
    username: z
      .string()
      .trim()
      .regex(
        /^[A-Za-z0-9_.-]{3,32}$/,
        'A username has 3 to 32 letters, digits, dots, hyphens or underscores.',
      ),
    password: NewPassword,
  })
  .meta({ id: 'Registration' })
export type Registration = z.infer<typeof Registration>

export const Login = z.object({ email: Email, password: KnownPassword }).meta({ id: 'Login' })
export type Login = z.infer<typeof Login>

export const PasswordChange = z
  .object({ currentPassword: KnownPassword, newPassword: NewPassword })
  .meta({ id: 'PasswordChange' })
export type PasswordChange = z.infer<typeof PasswordChange>

/** The account and the tokens of its auth session; browsers also get them as cookies. */
export const AuthTokens = z
  .object({
    user: User,
    accessToken: z.string(),
    accessExpiresAt: z.iso.datetime(),
    /** The same, for clients whose clock is wrong. */
    accessExpiresInS: z.int().min(0),
    refreshToken: z.string(),
    refreshExpiresAt: z.iso.datetime(),
    refreshExpiresInS: z.int().min(0),
  })
  .meta({ id: 'AuthTokens' })
export type AuthTokens = z.infer<typeof AuthTokens>

/** A refresh token in a body, for programs; browsers send theirs as a cookie. */
export const RefreshBody = z.object({ refreshToken: z.string().max(200).optional() })

/** One sign-in on one device. */
export const AuthSession = z
  .object({
    id: FamilyId,
    userAgent: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    /** Whether it is the one that asks. */
    current: z.boolean(),
  })
  .meta({ id: 'AuthSession' })
export type AuthSession = z.infer<typeof AuthSession>
