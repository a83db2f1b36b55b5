import { FamilyId, Plan, Role, UserId } from '@mist/db/contract'
import { z } from 'zod'

/** An account, as its owner sees it. */
export const User = z
  .object({ id: UserId, email: z.string(), username: z.string(), role: Role, plan: Plan })
  .meta({ id: 'User' })
export type User = z.infer<typeof User>

/** Lower case, so that one mailbox is one account. */
const Email = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email('This is not an e-mail address.').max(254))

const Password = z
  .string()
  .min(8, 'A password has at least 8 characters.')
  .max(200, 'A password has at most 200 characters.')

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
    password: Password,
  })
  .meta({ id: 'Registration' })
export type Registration = z.infer<typeof Registration>

export const Login = z
  .object({ email: Email, password: z.string().min(1).max(200) })
  .meta({ id: 'Login' })
export type Login = z.infer<typeof Login>

export const PasswordChange = z
  .object({ currentPassword: z.string().min(1).max(200), newPassword: Password })
  .meta({ id: 'PasswordChange' })
export type PasswordChange = z.infer<typeof PasswordChange>

/** A sign-in: the account and its tokens; browsers also get them as cookies. */
export const SignIn = z
  .object({
    user: User,
    accessToken: z.string(),
    accessExpiresAt: z.iso.datetime(),
    /** The same, told so that a client with a wrong clock can count it down. */
    accessExpiresInS: z.int().min(0),
    refreshToken: z.string(),
    refreshExpiresAt: z.iso.datetime(),
    refreshExpiresInS: z.int().min(0),
  })
  .meta({ id: 'SignIn' })
export type SignIn = z.infer<typeof SignIn>

/** A refresh token in a body, for programs; browsers send theirs as a cookie. */
export const RefreshBody = z.object({ refreshToken: z.string().max(200).optional() })

/** One device that is signed in. */
export const Device = z
  .object({
    id: FamilyId,
    userAgent: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    current: z.boolean(),
  })
  .meta({ id: 'Device' })
export type Device = z.infer<typeof Device>
