import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { AppEnv } from '../app-env.ts'

/** An id that came with the request is kept when it can't do harm in a log or a header. */
const SANE_ID = /^[A-Za-z0-9._:-]{8,128}$/

/** Gives each request an id, which the answer names too, and writes one line per request. */
export const requestLog: MiddlewareHandler<AppEnv> = async (c, next) => {
  const started = performance.now()
  const given = c.req.header('x-request-id')
  const requestId = given !== undefined && SANE_ID.test(given) ? given : crypto.randomUUID()
  c.set('requestId', requestId)
  await next()
  c.res.headers.set('x-request-id', requestId)
  c.var.deps.log.info('request', {
    requestId,
    method: c.req.method,
    // The path alone: a query may hold a session token.
    path: c.req.path,
    route: routePath(c, -1),
    status: c.res.status,
    ms: Math.round((performance.now() - started) * 10) / 10,
  })
}
