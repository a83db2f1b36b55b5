import { hasAuthCookie } from './cookies.server.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Tells whether a request may change something (CSRF protection): it must come from a page of ours, so
 * that no other site can sign a visitor in or out or act in their name. Browsers send `Origin` with
 * every such request, and no page can forge it. Without it, `Sec-Fetch-Site` must say `same-origin` or
 * `none`; a client that sends neither must not send cookies.
 */
export function isSameOrigin(request: Request): boolean {
  if (SAFE_METHODS.has(request.method)) return true
  const origin = request.headers.get('origin')
  if (origin !== null) return origin === new URL(request.url).origin
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin' || site === 'none'
  return !hasAuthCookie(request)
}

const SENTENCE =
  'This form was sent from another site, or your browser did not say from where. Open the page here and try again.'

/**
 * Answers a cross-origin write with 403: a page if HTML was asked for, else a problem (RFC 9457).
 */
export function refuseCrossOrigin(request: Request): Response {
  const headers = new Headers({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'strict-origin-when-cross-origin',
  })
  if (request.headers.get('accept')?.includes('text/html') === true) {
    headers.set('content-type', 'text/html; charset=utf-8')
    const page = `<!doctype html><html lang="en"><title>Request refused · Mist</title><h1>This request was refused.</h1><p>${SENTENCE}</p><p><a href="/">Go to the home page</a></p></html>`
    return new Response(page, { status: 403, headers })
  }
  headers.set('content-type', 'application/problem+json')
  const { origin, pathname } = new URL(request.url)
  const problem = {
    type: `${origin}/api/v1/problems/origin-refused`,
    title: 'The request came from a page that may not make it',
    status: 403,
    detail: SENTENCE,
    instance: pathname,
  }
  return new Response(JSON.stringify(problem), { status: 403, headers })
}
