const RELOADS_KEY = 'mist.reloads'

/** Reloads after a refresh before we give up on a page that is still refused. */
const MAX_RELOADS = 2

/**
 * Tells whether a page may be reloaded after its auth session was refreshed, and counts it. A browser
 * that drops our cookies would otherwise refresh and reload for ever. Without storage it may not.
 */
export function mayReload(): boolean {
  try {
    const reloads = (Number(sessionStorage.getItem(RELOADS_KEY)) || 0) + 1
    if (reloads > MAX_RELOADS) return false
    sessionStorage.setItem(RELOADS_KEY, String(reloads))
    return true
  } catch {
    return false
  }
}

/** Resets the count, after a page that needed no refresh. */
export function resetReloads(): void {
  try {
    sessionStorage.removeItem(RELOADS_KEY)
  } catch {
    // Then nothing was counted.
  }
}
