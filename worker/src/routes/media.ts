import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { AppEnv } from '../app-env.ts'
import { API_BASE } from '../services/listening-service.ts'

/** The identifier in the address of an object: in capitals it is the same, and cached once. */
const TRACK_ID = /(?<=^\/api\/v1\/media\/tracks\/)[0-9A-Fa-f-]{36}(?=\/)/

/** Ciphertext, clear init segments and covers; open to every page, for without keys it is noise. */
export const mediaRoutes = new Hono<AppEnv>()
  .use(
    cors({ origin: '*', allowMethods: ['GET', 'HEAD'], exposeHeaders: ['content-range', 'etag'] }),
  )
  .get('/*', async (c) => {
    const { cache, media } = c.var.deps
    const url = new URL(c.req.url)
    url.pathname = url.pathname.replace(TRACK_ID, (id) => id.toLowerCase())
    // The query is no part of a key: else a nonce would fetch the object from the bucket each time.
    const wanted = new Request(`${url.origin}${url.pathname}`, { headers: conditions(c.req.raw) })
    const cached = await cache.match(wanted)
    if (cached) return new Response(cached.body, cached)

    const whole = await media.fetch(url.pathname.slice(`${API_BASE}/media/`.length))
    const key = new Request(wanted.url)
    if (wanted.headers.has('range')) {
      // The cache keeps whole objects and cuts ranges out of them.
      await cache.put(key, whole.clone())
      const part = await cache.match(wanted)
      if (part) {
        await whole.body?.cancel()
        return new Response(part.body, part)
      }
      return whole
    }
    c.executionCtx.waitUntil(cache.put(key, whole.clone()))
    return whole
  })

function conditions(request: Request): Headers {
  const headers = new Headers()
  for (const name of ['range', 'if-none-match', 'if-modified-since']) {
    const value = request.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  return headers
}
