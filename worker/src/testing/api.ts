import { neon } from '@neondatabase/serverless'
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { DEFAULT_PLAN } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { makeFamily, makeUser } from '@mist/db/testing/factories'
import { drizzle } from 'drizzle-orm/neon-http'
import { makeApp } from '../app.ts'
import { makeDeps } from '../deps.ts'
import { readEnv } from '../env.ts'
import { makeLog } from '../platform/log.ts'
import { ORIGIN } from './origin.ts'
import { ownEnv } from './own-database.ts'

export { ORIGIN }

export type CallOptions = {
  body?: unknown
  bearer?: string
  headers?: Record<string, string>
  origin?: string
}

/** The API on a real Postgres and a real S3, with a clock that tests own. */
export function makeTestApi(overrides: Record<string, unknown> = {}) {
  const config = readEnv({ ...ownEnv, ...overrides })
  const lines: string[] = []
  let now: Date | null = null
  const deps = makeDeps(config, {
    clock: () => now ?? new Date(),
    log: makeLog((line) => lines.push(line)),
  })
  const app = makeApp(deps)
  const db = drizzle(neon(config.DATABASE_URL), { schema })

  return {
    deps,
    db,
    config,
    /** What was logged, one JSON object a line. */
    lines,
    /** Stops the clock at this instant; null lets it run again. */
    setNow: (instant: Date | null) => {
      now = instant
    },
    advance: (seconds: number) => {
      now = new Date((now ?? new Date()).getTime() + seconds * 1000)
    },

    /** Sends a request to `/api/v1/…`, or to a whole URL, and waits for what runs after the answer. */
    async call(
      method: string,
      path: string,
      { body, bearer, headers = {}, origin = ORIGIN }: CallOptions = {},
    ): Promise<Response> {
      const url = path.startsWith('https:') ? path : `${origin}/api/v1/${path}`
      const request = new Request(url, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const context = createExecutionContext()
      const response = await app.fetch(request, {}, context)
      await waitOnExecutionContext(context)
      return response
    },

    /** Inserts a listener and signs in; no password is hashed. */
    async signIn(user: Partial<typeof schema.users.$inferInsert> = {}) {
      const { userId, familyId } = await makeUser(db, user)
      const claims = {
        userId,
        familyId,
        role: user.role ?? 'user',
        plan: user.plan ?? DEFAULT_PLAN,
      }
      const { token } = await deps.tokens.issueAccess(claims)
      return { userId, familyId, token }
    },

    /** Another auth session of a listener. */
    async signInAgain(userId: Parameters<typeof makeFamily>[1]) {
      const familyId = await makeFamily(db, userId)
      const claims = { userId, familyId, role: 'user', plan: 'free' } as const
      const { token } = await deps.tokens.issueAccess(claims)
      return { userId, familyId, token }
    },
  }
}

/** The code at the end of a problem's `type`. */
export async function problemCode(response: Response): Promise<string> {
  const { type } = await response.json<{ type: string }>()
  return type.split('/').at(-1) ?? ''
}
