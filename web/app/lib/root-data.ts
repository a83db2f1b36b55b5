import type { User } from './api-types.ts'
import type { AccessLife } from './sign-in-keeper.ts'

/** What every page knows: who is signed in, and for how long. */
export type RootData = {
  user: User | null
  /** How long the access token has; null without one. */
  access: AccessLife | null
  /** Access has run out, but the browser can renew it. */
  isRenewable: boolean
}
