import type { Context, MiddlewareHandler, Next } from 'hono'
import type { z } from 'zod'
import type { AppEnv } from '../app-env.ts'
import { readCredentials } from './credentials.ts'

/** Seconds for which a page of the catalogue may be stale to visitors. */
const CATALOGUE_CACHE_S = 5

/** For browsers: ask each time, so that a visitor who signs in as an admin sees no stale page. */
const ASK_AGAIN = 'public, max-age=0'

/** Only what the answer depends on, and all of it: a nonce in the query must not fill the cache. */
function cacheKey({ req }: Context<AppEnv>, names: readonly string[]): string {
  const query = req.url.indexOf('?')
  const address = query === -1 ? req.url : req.url.slice(0, query)
  const values = names.map((name) => encodeURIComponent(req.query(name) ?? ''))
  return `${address}?${values.join('&')}`
}

/**
 * Answers list pages from this isolate's cache, or from the edge's, for five seconds, to all but admins:
 * they must see what they just did.
 *
 * @param query every parameter that the answer depends on
 */
export function cachedForVisitors(query: z.ZodObject): MiddlewareHandler<AppEnv> {
  const names = Object.keys(query.shape).sort()
  return (c, next) => answerFromCache(c, next, names)
}

async function answerFromCache(
  c: Context<AppEnv>,
  next: Next,
  names: readonly string[],
): Promise<Response | undefined> {
  const isAdmin = (await readCredentials(c))?.role === 'admin'
  if (isAdmin) {
    await next()
    c.header('cache-control', 'private, no-store')
    return undefined
  }

  const { cache, pages, clock } = c.var.deps
  const json = { 'content-type': 'application/json' }
  const key = cacheKey(c, names)
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
  if (c.res.status !== 200) return undefined
  const page = await c.res.clone().arrayBuffer()
  pages.set(key, page, clock().getTime() + CATALOGUE_CACHE_S * 1000)
  c.header('cache-control', ASK_AGAIN)
  const headers = { ...json, 'cache-control': `public, max-age=${CATALOGUE_CACHE_S}` }
  c.executionCtx.waitUntil(cache.put(new Request(key), new Response(page, { headers })))
  return undefined
}
