import { hasSignInCookie } from './cookies.server.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Tells whether a request that changes something was made by a page of ours, so that no other site can
 * sign its visitor in, out or act in their name. Browsers name the page's origin with every such
 * request, and no page can forge that. Where a browser does not, `Sec-Fetch-Site` must say that the
 * page is ours or that the visitor asked without one; a program that sends neither may not bring cookies.
 */
export function isFromOwnPage(request: Request): boolean {
  if (SAFE_METHODS.has(request.method)) return true
  const origin = request.headers.get('origin')
  if (origin !== null) return origin === new URL(request.url).origin
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin' || site === 'none'
  return !hasSignInCookie(request)
}

const SENTENCE =
  'This was sent from a page that may not do so, or from a browser that does not say which. Open the page here and try again.'

/**
 * What another page's request gets: 403, as a page where a page was wanted, else as a problem
 * (RFC 9457). Nothing was done.
 */
export function refuseForeignPage(request: Request): Response {
  const headers = new Headers({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'strict-origin-when-cross-origin',
  })
  if (request.headers.get('accept')?.includes('text/html') === true) {
    headers.set('content-type', 'text/html; charset=utf-8')
    const page = `<!doctype html><html lang="en"><title>Not from there · Mist</title><h1>Not from there.</h1><p>${SENTENCE}</p><p><a href="/">To the music</a></p></html>`
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
