import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { AppEnv } from '../app-env.ts'

/** An id that came with the request is kept when it can't do harm in a log or a header. */
const SANE_ID = /^[A-Za-z0-9._:-]{8,128}$/

/** Reading something is worth a line when it took longer, milliseconds. */
const SLOW_MS = 1000

/**
 * Gives each request an id, which the answer names too, and writes a line for each that changed
 * something, was refused or was slow. Keys every twelve seconds for every listener would be a log
 * that costs more than the service; the platform counts those, leased one by one or in runs.
 */
export const requestLog: MiddlewareHandler<AppEnv> = async (c, next) => {
  const started = performance.now()
  const given = c.req.header('x-request-id')
  const requestId = given !== undefined && SANE_ID.test(given) ? given : crypto.randomUUID()
  c.set('requestId', requestId)
  await next()
  c.res.headers.set('x-request-id', requestId)
  const ms = performance.now() - started
  const changesNothing = c.req.method === 'GET' || c.req.path.endsWith('/leases')
  if (changesNothing && c.res.status < 400 && ms < SLOW_MS) return
  c.var.deps.log.info('request', {
    requestId,
    method: c.req.method,
    // The path alone: a query may hold a session token.
    path: c.req.path,
    route: routePath(c, -1),
    status: c.res.status,
    ms: Math.round(ms * 10) / 10,
  })
}
