/**
 * Keeps the browser signed in. A refresh token may be used once only: a second use ends the whole
 * sign-in. So all tabs of the site take turns behind one lock, and each first looks whether another
 * has refreshed while it waited. Should a tab not see that in time (storage reaches other processes
 * late), it refreshes in its turn with the new token, which is needless but harmless.
 */

const ENDS_AT_KEY = 'mist.access-ends-at'
const RENEWED_AT_KEY = 'mist.renewed-at'
const LOCK = 'mist.refresh'

/** Refresh when less than this is left, so that no request meets an expired token. */
const AHEAD_MS = 60_000

export type Notes = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export type KeeperParts = {
  fetch: typeof globalThis.fetch
  notes: Notes
  /** Runs one at a time in all tabs. */
  exclusively: <T>(name: string, task: () => Promise<T>) => Promise<T>
  now: () => number
}

export type Renewal = 'renewed' | 'signed-out' | 'unreachable'

export function makeSignInKeeper({ fetch, notes, exclusively, now }: KeeperParts) {
  function endsAt(): number {
    return Number(notes.getItem(ENDS_AT_KEY)) || 0
  }

  async function refresh(): Promise<Renewal> {
    let response: Response
    try {
      response = await fetch('/api/v1/auth/refresh', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    } catch {
      return 'unreachable'
    }
    if (response.status === 401 || response.status === 403) {
      notes.removeItem(ENDS_AT_KEY)
      isOver = true
      return 'signed-out'
    }
    if (!response.ok) return 'unreachable'
    const body: unknown = await response.json()
    if (typeof body === 'object' && body !== null && 'accessExpiresAt' in body) {
      notes.setItem(ENDS_AT_KEY, String(Date.parse(String(body.accessExpiresAt))))
    }
    notes.setItem(RENEWED_AT_KEY, String(now()))
    return 'renewed'
  }

  let running: Promise<Renewal> | null = null
  /** Set once the service has ended the sign-in: asking again would only be refused again. */
  let isOver = false

  return {
    /** Notes when the access token ends, as the page was told; null after signing out. */
    learn(endsAtMs: number | null): void {
      if (endsAtMs !== null) isOver = false
      if (endsAtMs === null) notes.removeItem(ENDS_AT_KEY)
      else if (endsAtMs > endsAt()) notes.setItem(ENDS_AT_KEY, String(endsAtMs))
    },
    /** Milliseconds until the next refresh is due; null when not signed in. */
    dueInMs(): number | null {
      const at = endsAt()
      return at === 0 ? null : Math.max(0, at - AHEAD_MS - now())
    },
    /**
     * Renews the sign-in, unless another tab has done so since.
     *
     * @param sinceMs when what showed that the token is too old was asked for, Unix milliseconds
     */
    renew(sinceMs: number = now()): Promise<Renewal> {
      if (isOver) return Promise.resolve('signed-out')
      running ??= exclusively(LOCK, async () => {
        const renewedAt = Number(notes.getItem(RENEWED_AT_KEY)) || 0
        const isFresh = renewedAt >= sinceMs && endsAt() - AHEAD_MS > now()
        return isFresh ? 'renewed' : refresh()
      }).finally(() => {
        running = null
      })
      return running
    },
  }
}

export type SignInKeeper = ReturnType<typeof makeSignInKeeper>
