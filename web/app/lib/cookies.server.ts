/** Passes the API's cookies on to the browser. */
export function withCookies(cookies: readonly string[]): Headers {
  const headers = new Headers()
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return headers
}

/** Name and value of the first cookie whose name matches. */
function cookieOf(request: Request, name: RegExp): string | null {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && name.test(pair.slice(0, equals).trim())) return pair.slice(equals + 1).trim()
  }
  return null
}

/** The access token in a request's cookies. */
export const accessCookie = (request: Request) =>
  cookieOf(request, /^(__Host-|__Secure-)?mist[-_]access$/)

/** The refresh token in a request's cookies. */
export const refreshCookie = (request: Request) =>
  cookieOf(request, /^(__Host-|__Secure-)?mist[-_]refresh$/)

/** Tells whether a request carries an access or refresh token. */
export function hasAuthCookie(request: Request): boolean {
  return accessCookie(request) !== null || refreshCookie(request) !== null
}
