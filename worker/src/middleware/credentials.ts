import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from '../app-env.ts'
import type { AuthTokens } from '../contract/accounts.ts'
import type { AccessClaims } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'

/** `__Host-` pins a cookie to this very host, over TLS, for all paths (RFC 6265bis §4.1.3). */
const ACCESS_COOKIE = '__Host-mist_access'
const REFRESH_COOKIE = '__Host-mist_refresh'

/** Lax, not Strict: a user who follows a link from elsewhere should arrive signed in. */
const COOKIE = { httpOnly: true, secure: true, sameSite: 'Lax', path: '/' } as const

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The bearer token of a request, or null. */
export function bearerToken(c: Context): string | null {
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? null
}

/** The refresh token in a browser's cookie. */
export function refreshCookie(c: Context): string | undefined {
  return getCookie(c, REFRESH_COOKIE)
}

/**
 * Gives a browser its tokens, in cookies that no script can read. They say how long they last, not
 * until when: a computer whose clock is fast would throw them away at once.
 */
export function setAuthCookies(c: Context, issued: AuthTokens): void {
  setCookie(c, ACCESS_COOKIE, issued.accessToken, { ...COOKIE, maxAge: issued.accessExpiresInS })
  setCookie(c, REFRESH_COOKIE, issued.refreshToken, {
    ...COOKIE,
    maxAge: issued.refreshExpiresInS,
  })
}

export function clearAuthCookies(c: Context): void {
  deleteCookie(c, ACCESS_COOKIE, COOKIE)
  deleteCookie(c, REFRESH_COOKIE, COOKIE)
}

function isOwnPage(c: Context<AppEnv>, origin: string): boolean {
  return origin === new URL(c.req.url).origin || c.var.deps.webOrigins.has(origin)
}

/** An origin as browsers write it; anything else that the header may hold is not repeated in an answer. */
const WEB_ORIGIN = /^https?:\/\/[\w.:[\]-]{1,253}$/

function refuseOrigin(c: Context<AppEnv>, origin: string | undefined): never {
  const rule =
    'Send requests that change something from a page of this service, or with a bearer token.'
  if (origin === undefined || !WEB_ORIGIN.test(origin)) throw new Problem('origin-refused', rule)
  c.var.deps.log.warn('origin-refused', { origin, ownOrigin: new URL(c.req.url).origin })
  // Only configuration can tell a web app that reaches this API by another host from a foreign page.
  throw new Problem(
    'origin-refused',
    `${rule} If ${origin} is its web app, its operator has to add that to WEB_ORIGINS of the Worker.`,
  )
}

/**
 * Reads the access token of a request; null where there is none. `Authorization` wins over the cookie. A cookie is sent by any page
 * that makes a browser ask, so one that comes with a write must come from a page of ours: the
 * browser says which in `Origin`, and a page can't forge that.
 */
export async function readCredentials(c: Context<AppEnv>): Promise<AccessClaims | null> {
  const bearer = bearerToken(c)
  if (bearer !== null) return c.var.deps.tokens.readAccess(bearer)
  const cookie = getCookie(c, ACCESS_COOKIE)
  if (cookie === undefined) return null
  const claims = await c.var.deps.tokens.readAccess(cookie)
  if (claims && !SAFE_METHODS.has(c.req.method)) {
    const origin = c.req.header('origin')
    if (origin === undefined || !isOwnPage(c, origin)) refuseOrigin(c, origin)
  }
  return claims
}

/** Refuses visitors who are not signed in; handlers find the listener as `c.var.listener`. */
export const requireListener: MiddlewareHandler<AppEnv> = async (c, next) => {
  const listener = await readCredentials(c)
  if (!listener) throw new Problem('signed-out', 'Sign in, or renew the access token.')
  c.set('listener', listener)
  await next()
}

/** Refuses all but admins, by what the database says now, since a token may be out of date. */
export const requireAdmin: MiddlewareHandler<AppEnv> = async (c, next) => {
  const admin = await readCredentials(c)
  if (!admin) throw new Problem('signed-out', 'Sign in as an admin.')
  await c.var.deps.accounts.requireAdmin(admin)
  c.set('listener', admin)
  c.set('actor', { userId: admin.userId, requestId: c.var.requestId })
  await next()
}

/**
 * Guards the routes that set cookies: another site must not sign its visitors in to another account,
 * nor use up a refresh token. Programs send no `Origin` and no cookie, and pass.
 */
export const ownPagesOnly: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header('origin')
  if (origin === undefined ? refreshCookie(c) !== undefined : !isOwnPage(c, origin))
    refuseOrigin(c, origin)
  await next()
}
