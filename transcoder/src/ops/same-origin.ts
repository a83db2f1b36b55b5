import type { MiddlewareHandler } from 'hono'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const LOOPBACK_ADDRESSES = new Set(['127.0.0.1', 'localhost', '::1'])
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i

/**
 * Refuses what another origin's page makes a browser ask: it sends a remembered password (HTTP
 * Basic) along. A link to the dashboard is followed; everything else must come from the dashboard's
 * own pages, or from a program that is no browser.
 *
 * @param listensOn the address of the server; on a loopback address only loopback names are
 *   answered to, so that no page can make its own domain resolve to it (DNS rebinding)
 */
export function refuseOtherOrigins(listensOn: string): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header('host') ?? ''
    const origin = c.req.header('origin')
    const site = c.req.header('sec-fetch-site') ?? 'none'
    const isLink =
      SAFE_METHODS.has(c.req.method) &&
      c.req.header('sec-fetch-mode') === 'navigate' &&
      c.req.header('sec-fetch-dest') === 'document'
    if (LOOPBACK_ADDRESSES.has(listensOn) && !LOOPBACK_HOST.test(host))
      return c.text('this port answers to localhost only\n', 403)
    if (origin !== undefined && !isOriginOf(origin, host))
      return c.text('this server answers to no page of another origin\n', 403)
    if (site !== 'none' && site !== 'same-origin' && !isLink)
      return c.text('this server answers to no page of another origin\n', 403)
    await next()
  }
}

/** Whether a page's origin is the host that was asked; its scheme may end at a proxy in front. */
function isOriginOf(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}
