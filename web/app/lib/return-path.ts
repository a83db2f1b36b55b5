/** Longest return path that is kept, in characters; no page of ours has a longer address. */
const MAX_CHARS = 2000

/** Pages to which nobody wants to return after signing in: they would ask again, or sign out. */
const SIGNING = /^\/(login|register|logout)(\.data)?\/*$/i

/**
 * Keeps a return path on this site. It is read as browsers read it (the URL standard, which drops
 * tabs and line breaks, takes `\` for `/` and resolves dots), must lead to this very origin, and of
 * it only the path and the query remain. Whatever else it may be leads home.
 *
 * @param to as the visitor's address said it; null where it said nothing
 * @param origin our own, such as `https://music.example`
 * @returns visible ASCII that begins with one `/`, fit for a `Location` header
 */
export function returnPath(to: string | null, origin: string): string {
  if (to === null || to.length > MAX_CHARS || !URL.canParse(to, origin)) return '/'
  const url = new URL(to, origin)
  if (url.origin !== origin) return '/'
  // "/./\evil.example" is on our origin, but what remains of it, "//evil.example", would not be. And
  // "blob:https://music.example/1" has our origin, but its path is an address.
  if (!/^\/(?!\/)/.test(url.pathname)) return '/'
  try {
    // The router decodes a path before it looks for the page.
    if (SIGNING.test(decodeURIComponent(url.pathname))) return '/'
  } catch {
    return '/'
  }
  return url.pathname + url.search
}

/** The address of the sign-in page that leads back to `here`, a path and query of this site. */
export function signInPath(here: string): string {
  return `/login?to=${encodeURIComponent(here)}`
}
