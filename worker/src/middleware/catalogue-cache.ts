import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { readCredentials } from './credentials.ts'

/** Seconds for which a page of the catalogue may be stale to visitors. */
const CATALOGUE_CACHE_S = 5

/** For browsers: ask each time, so that a visitor who signs in as an admin sees no stale page. */
const ASK_AGAIN = 'public, max-age=0'

/** Only what the answer depends on: a nonce in the query must not fill the cache. */
function cacheKey({ req }: Context<AppEnv>): string {
  const query = req.url.indexOf('?')
  const address = query === -1 ? req.url : req.url.slice(0, query)
  const page = ['cursor', 'limit'].map((name) => encodeURIComponent(req.query(name) ?? ''))
  return `${address}?${page.join('&')}`
}

/**
 * Answers list pages from this isolate's cache, or from the edge's, for five seconds, to all but admins:
 * they must see what they just did.
 */
export const cachedForVisitors: MiddlewareHandler<AppEnv> = async (c, next) => {
  const isAdmin = (await readCredentials(c))?.role === 'admin'
  if (isAdmin) {
    await next()
    c.header('cache-control', 'private, no-store')
    return
  }

  const { cache, pages, clock } = c.var.deps
  const json = { 'content-type': 'application/json' }
  const key = cacheKey(c)
  const remembered = pages.get(key)
  if (remembered !== undefined)
    return c.body(remembered, 200, { ...json, 'cache-control': ASK_AGAIN })

  const cached = await cache.match(new Request(key))
  if (cached) {
    const page = await cached.arrayBuffer()
    // It may be four seconds old already, so here it is kept for one.
    pages.set(key, page, clock().getTime() + 1000)
    return c.body(page, 200, { ...json, 'cache-control': ASK_AGAIN })
  }

  await next()
  if (c.res.status !== 200) return
  const page = await c.res.clone().arrayBuffer()
  pages.set(key, page, clock().getTime() + CATALOGUE_CACHE_S * 1000)
  c.header('cache-control', ASK_AGAIN)
  const headers = { ...json, 'cache-control': `public, max-age=${CATALOGUE_CACHE_S}` }
  c.executionCtx.waitUntil(cache.put(new Request(key), new Response(page, { headers })))
}
