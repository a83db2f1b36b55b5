import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { Problem } from '../problem.ts'
import { networkOfRequest } from './network.ts'

/** What the bindings in wrangler.toml allow from one network; a test holds the two together. */
export const RATE_LIMITS = {
  auth: { limit: 30, periodS: 60 },
  uploads: { limit: 120, periodS: 60 },
  // Two hours of music a minute, in keys of one segment: as much as the pace lets nine premium listeners
  // fetch ahead in their first minute, and thirty from then on.
  keys: { limit: 1800, periodS: 60 },
  // Suggestions at each letter of several people who type at once behind one address.
  search: { limit: 1200, periodS: 60 },
} as const

/**
 * Limits requests from one network, in each of Cloudflare's locations by itself; what must hold over all
 * of them, guesses at passwords, is counted in the database. The binding tells yes or no and nothing else, so
 * `RateLimit-Policy` is always sent and `RateLimit` only when nothing remains
 * (draft-ietf-httpapi-ratelimit-headers-10). Without the binding there is no limit.
 */
export function rateLimit(name: keyof typeof RATE_LIMITS): MiddlewareHandler<AppEnv> {
  const { limit, periodS } = RATE_LIMITS[name]
  const policy = `"${name}";q=${limit};w=${periodS}`
  return async (c, next) => {
    const limiter = c.var.deps.limiters[name]
    if (!limiter) return next()
    const { success } = await limiter.limit({ key: networkOfRequest(c).name })
    if (!success) {
      c.header('ratelimit-policy', policy)
      c.header('ratelimit', `"${name}";r=0;t=${periodS}`)
      throw new Problem(
        'rate-limited',
        `Wait a minute: ${limit} requests a minute are allowed here.`,
        {
          retryAfterS: periodS,
        },
      )
    }
    await next()
    // Not c.header() before: an answer that is made without the context would not have it.
    c.res.headers.set('ratelimit-policy', policy)
  }
}
