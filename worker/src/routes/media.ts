import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { AppEnv } from '../app-env.ts'
import { API_BASE } from '../api-base.ts'
import { answerWith } from './media-http.ts'

/**
 * How long the edge keeps an object. Browsers may keep a segment for a year, but a cache that others
 * ask must forget what was taken down before the takedown itself is forgotten.
 */
const EDGE_CACHE_CONTROL = 'public, max-age=86400'

/** Ciphertext, clear init segments and covers; open to every page, for without keys it is noise. */
export const mediaRoutes = new Hono<AppEnv>()
  .use(
    cors({
      origin: '*',
      allowMethods: ['GET', 'HEAD'],
      exposeHeaders: ['content-range', 'content-length', 'accept-ranges', 'etag'],
    }),
  )
  .get('/*', async (c) => {
    const { cache, media } = c.var.deps
    const { origin, pathname } = new URL(c.req.url)
    const object = media.parse(pathname.slice(`${API_BASE}/media/`.length))
    const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
    await media.refuseTakenDown(object, later)

    // One entry an object, whatever the query and the spelling: else a nonce would fetch it from the
    // bucket each time. The suffix parts it from entries that older releases let live for a year.
    const key = new Request(`${origin}${API_BASE}/media/${object.key}?kept=day`)
    const cached = await cache.match(key)
    if (cached) {
      // One copy of the headers, and no more: each is felt at every segment.
      const answer = new Response(cached.body, cached)
      answer.headers.set('cache-control', object.cacheControl)
      // The edge's, and a cover may be kept for an hour from now.
      answer.headers.delete('age')
      return answerWith(answer, c.req.raw)
    }

    const whole = await media.fetch(object)
    const kept = whole.clone()
    later(
      cache.put(
        key,
        new Response(kept.body, {
          headers: { ...Object.fromEntries(kept.headers), 'cache-control': EDGE_CACHE_CONTROL },
        }),
      ),
    )
    return answerWith(whole, c.req.raw)
  })
