import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { whoIsAsking } from './credentials.ts'

/** Seconds for which a page of the catalogue may be stale to visitors. */
const CATALOGUE_CACHE_S = 5

/** Only what the answer depends on: a nonce in the query must not fill the cache. */
function cacheKey(url: string): Request {
  const asked = new URL(url)
  const key = new URL(asked.pathname, asked.origin)
  for (const name of ['cursor', 'limit']) {
    const value = asked.searchParams.get(name)
    if (value !== null) key.searchParams.set(name, value)
  }
  return new Request(key)
}

/**
 * Answers list pages from the edge's cache, for five seconds, to all but admins: they must see what
 * they just did.
 */
export const cachedForVisitors: MiddlewareHandler<AppEnv> = async (c, next) => {
  const isAdmin = (await whoIsAsking(c))?.role === 'admin'
  if (isAdmin) {
    await next()
    c.header('cache-control', 'private, no-store')
    return
  }
  const { cache } = c.var.deps
  const key = cacheKey(c.req.url)
  const cached = await cache.match(key)
  if (cached) {
    c.res = new Response(cached.body, cached)
    // max-age=0 for browsers, so that who signs in as an admin is not shown an old page.
    c.header('cache-control', 'public, max-age=0')
    return
  }
  await next()
  if (c.res.status !== 200) return
  const kept = c.res.clone()
  const headers = new Headers({
    'content-type': kept.headers.get('content-type') ?? 'application/json',
    'cache-control': `public, max-age=${CATALOGUE_CACHE_S}`,
  })
  c.header('cache-control', 'public, max-age=0')
  c.executionCtx.waitUntil(cache.put(key, new Response(kept.body, { headers })))
}
