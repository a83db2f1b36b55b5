import type { AdminActor } from '@mist/db/statements'
import type { Deps } from './deps.ts'
import type { AccessClaims } from './platform/tokens.ts'

/** What every handler finds in its context. */
export type AppEnv = {
  Variables: {
    deps: Deps
    requestId: string
    /** Who is asking; only behind `requireListener` or `requireAdmin`. */
    listener: AccessClaims
    /** The same as the audit log names them; only behind `requireAdmin`. */
    actor: AdminActor
  }
}
