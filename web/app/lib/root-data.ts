import type { User } from './api-types.ts'
import type { AccessExpiry } from './auth-session-renewal.ts'

/** What every page gets: the user, and when the access token expires. */
export type RootData = {
  user: User | null
  /** Expiry of the access token; null without one. */
  access: AccessExpiry | null
  /** The access token is missing or expired, but the browser has a refresh token. */
  isRenewable: boolean
}
