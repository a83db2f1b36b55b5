import type { User } from './api-types.ts'

/** What every page knows: who is signed in, and for how long. */
export type RootData = {
  user: User | null
  /** When the access token ends, Unix milliseconds; null without one. */
  accessEndsAtMs: number | null
  /** Access has run out, but the browser can renew it. */
  isRenewable: boolean
}
