/** Longest return path, in characters; no page of ours has a longer address. */
const MAX_CHARS = 2000

/** Pages that make no sense after signing in. */
const AUTH_PAGES = /^\/(login|register|logout)(\.data)?\/*$/i

/**
 * Restricts a return path to this site (open redirects). It is parsed as browsers do (the URL standard
 * drops tabs and line breaks, takes `\` for `/` and resolves dots), must be on this origin, and is cut
 * to its path and query. Anything else becomes `/`.
 *
 * @param to the `to` parameter of the page; null if there is none
 * @param origin our own, such as `https://music.example`
 * @returns visible ASCII that begins with one `/`, fit for a `Location` header
 */
export function returnPath(to: string | null, origin: string): string {
  if (to === null || to.length > MAX_CHARS || !URL.canParse(to, origin)) return '/'
  const url = new URL(to, origin)
  if (url.origin !== origin) return '/'
  // "/./\evil.example" is on our origin, but its path, "//evil.example", would lead elsewhere. And
  // "blob:https://music.example/1" has our origin, but its path is a whole URL.
  if (!/^\/(?!\/)/.test(url.pathname)) return '/'
  try {
    // The router decodes paths before it matches them.
    if (AUTH_PAGES.test(decodeURIComponent(url.pathname))) return '/'
  } catch {
    return '/'
  }
  return url.pathname + url.search
}

/** The path of the sign-in page that leads back to `here`, a path and query of this site. */
export function signInPath(here: string): string {
  return `/login?to=${encodeURIComponent(here)}`
}

/**
 * The query for links to the sign-in and the register page, so that they lead back to where the visitor
 * is. On those pages it is their own, so that the links between them do not nest.
 */
export function returnQuery({ pathname, search }: { pathname: string; search: string }): string {
  if (AUTH_PAGES.test(pathname)) return search
  const here = pathname + search
  return here === '/' ? '' : `?to=${encodeURIComponent(here)}`
}
