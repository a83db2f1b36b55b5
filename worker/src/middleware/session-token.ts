import type { Context } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { bearerToken } from './credentials.ts'
import type { SessionClaims } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'

/** The session token of a request, from its query (players that send no headers) or its header. */
export async function sessionToken(
  c: Context<AppEnv>,
): Promise<{ token: string; claims: SessionClaims; isInUrl: boolean } | null> {
  const inUrl = c.req.query('token')
  const token = inUrl ?? bearerToken(c)
  if (token === null) return null
  const claims = await c.var.deps.tokens.readSession(token)
  if (!claims) throw noSessionToken()
  return { token, claims, isInUrl: inUrl !== undefined }
}

export function noSessionToken(): Problem {
  return new Problem('session-token-invalid', 'Start a listening session and use its newest token.')
}
