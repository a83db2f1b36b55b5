const TIMES_KEY = 'mist.asked-again'

/** A page that is still refused after its sign-in was renewed so often will be refused for ever. */
const MOST_TIMES = 2

/**
 * Tells whether a page whose sign-in was renewed may be asked for again. A browser that keeps no
 * cookies, say, would otherwise renew and ask without end. Where nothing can be noted it may not.
 */
export function mayAskAgain(): boolean {
  try {
    const times = (Number(sessionStorage.getItem(TIMES_KEY)) || 0) + 1
    if (times > MOST_TIMES) return false
    sessionStorage.setItem(TIMES_KEY, String(times))
    return true
  } catch {
    return false
  }
}

/** A page arrived that needs no renewal: the next one may be asked for again as often. */
export function pageHasArrived(): void {
  try {
    sessionStorage.removeItem(TIMES_KEY)
  } catch {
    // Then nothing was noted.
  }
}
