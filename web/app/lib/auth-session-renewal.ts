import { backoffMs } from './backoff.ts'
import { problemOfResponse, unreachable } from './problem.ts'
import type { Problem } from './problem.ts'
import {
  accessLeftMs,
  readAccess,
  readBackoff,
  backoffLeftMs,
  writeAccess,
  writeBackoff,
} from './auth-session-storage.ts'
import type { AuthSessionStorage, StoredAccess } from './auth-session-storage.ts'

/**
 * Keeps the browser signed in by refreshing its auth session. A refresh token is for one use; the API
 * accepts a second one only for a moment. So all tabs take turns behind one lock, and each first checks
 * whether another has refreshed while it waited. A tab that misses this (storage reaches other
 * processes late) refreshes again with the new token, which is needless but harmless.
 *
 * The time of the next refresh is counted from the lifetime that the API states, on a monotonic clock.
 * After sleep that clock may be slow; then a 401 triggers the refresh.
 */

const LOCK = 'mist.refresh'

/** Refreshes when less than this is left, so that no request carries an expired token. */
const RENEW_AHEAD_MS = 60_000

/**
 * Timeout of a refresh. Well below the 30 s in which the API accepts the same token again, so a lost
 * answer can be fetched by a second try.
 */
const TIMEOUT_MS = 10_000

export type RenewalParts = {
  fetch: typeof globalThis.fetch
  storage: AuthSessionStorage
  /** Runs one task at a time, across all tabs. */
  withLock: <T>(name: string, task: () => Promise<T>) => Promise<T>
  /** Milliseconds on a monotonic clock, such as `performance.now()`. */
  monotonicMs: () => number
  /** Unix milliseconds by this device's clock, which may be wrong: only compared with itself. */
  wallMs: () => number
  /** 0 ≤ random < 1 */
  random: () => number
}

export type RenewalResult =
  | { kind: 'renewed' }
  | { kind: 'signed-out' }
  /** The API is unavailable. Calls within `retryInMs` get this answer without a request. */
  | { kind: 'unavailable'; retryInMs: number; problem: Problem }

/** When an access token expires: by the API's clock (Unix milliseconds), and from now. */
export type AccessExpiry = { endsAtMs: number; leftMs: number }

const RENEWED: RenewalResult = { kind: 'renewed' }
const SIGNED_OUT: RenewalResult = { kind: 'signed-out' }

/** Assumed lifetime where an older API does not state it, milliseconds. */
const DEFAULT_LIFETIME_MS = 5 * 60_000

/** Reads the answer to a refresh; null if it is not as expected. */
async function readExpiry(response: Response): Promise<AccessExpiry | null> {
  const body: unknown = await response.json().catch(() => null)
  if (typeof body !== 'object' || body === null || !('accessExpiresAt' in body)) return null
  const endsAtMs = Date.parse(String(body.accessExpiresAt))
  if (Number.isNaN(endsAtMs)) return null
  if ('accessExpiresInS' in body && typeof body.accessExpiresInS === 'number')
    return { endsAtMs, leftMs: body.accessExpiresInS * 1000 }
  return { endsAtMs, leftMs: DEFAULT_LIFETIME_MS }
}

export function makeAuthSessionRenewal({
  fetch,
  storage,
  withLock,
  monotonicMs,
  wallMs,
  random,
}: RenewalParts) {
  /** The newest access token known, with its expiry on the monotonic clock. */
  let known: { endsAtMs: number; deadlineMs: number } | null = null
  /** No refresh before this, on the monotonic clock. */
  let notBeforeMs = 0
  let lastProblem = unreachable()
  let running: Promise<RenewalResult> | null = null
  /** Whether the API has ended the auth session: it would refuse every further refresh. */
  let isSignedOut = false
  /** Expiry of the stored token because of which a page was reloaded; trusted only once. */
  let trustedEndMs: number | null = null

  /** Takes over what another tab has stored since. */
  function readStored(): void {
    const stored = readAccess(storage)
    if (stored === null) known = null
    else if (known === null || stored.endsAtMs > known.endsAtMs) {
      known = {
        endsAtMs: stored.endsAtMs,
        deadlineMs: monotonicMs() + accessLeftMs(stored, wallMs()),
      }
    }
  }

  function remember({ endsAtMs, leftMs }: AccessExpiry): void {
    known = { endsAtMs, deadlineMs: monotonicMs() + leftMs }
    writeAccess(storage, { endsAtMs, lifetimeMs: leftMs, storedAtMs: wallMs() })
  }

  const isFresh = () => known !== null && known.deadlineMs - RENEW_AHEAD_MS > monotonicMs()

  /** How long no tab may refresh, by the stored backoff and by this tab's own. */
  function remainingBackoffMs(): number {
    const stored = readBackoff(storage)
    return stored === null
      ? 0
      : Math.max(backoffLeftMs(stored, wallMs()), notBeforeMs - monotonicMs())
  }

  function unavailable(problem: Problem): RenewalResult {
    const failures = (readBackoff(storage)?.failures ?? 0) + 1
    const waitMs = backoffMs(failures, problem.retryAfterS, random())
    lastProblem = problem
    notBeforeMs = monotonicMs() + waitMs
    writeBackoff(storage, {
      waitMs,
      storedAtMs: wallMs(),
      failures,
      isRequested: problem.retryAfterS !== null,
    })
    return { kind: 'unavailable', retryInMs: waitMs, problem }
  }

  async function refresh(): Promise<RenewalResult> {
    const waitMs = remainingBackoffMs()
    if (waitMs > 0) return { kind: 'unavailable', retryInMs: waitMs, problem: lastProblem }
    let response: Response
    try {
      response = await fetch('/api/v1/auth/refresh', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
        // So that the cookies arrive even if the page is closed meanwhile.
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch {
      return unavailable(unreachable())
    }
    if (!response.ok) {
      const problem = await problemOfResponse(response)
      if (response.status !== 401 && problem.code !== 'account-blocked') return unavailable(problem)
      writeAccess(storage, null)
      writeBackoff(storage, null)
      known = null
      isSignedOut = true
      return SIGNED_OUT
    }
    const expiry = await readExpiry(response)
    if (expiry === null) return unavailable(unreachable())
    writeBackoff(storage, null)
    notBeforeMs = 0
    remember(expiry)
    return RENEWED
  }

  /** @param isDone whether another tab has refreshed meanwhile; called inside the lock */
  function runInTurn(isDone: () => boolean): Promise<RenewalResult> {
    if (isSignedOut) return Promise.resolve(SIGNED_OUT)
    running ??= withLock(LOCK, async () => {
      readStored()
      return isDone() ? RENEWED : refresh()
    }).finally(() => {
      running = null
    })
    return running
  }

  /** The stored token, if it was stored after an instant of this device's clock and is still valid. */
  function storedSince(sinceWallMs: number): StoredAccess | null {
    const stored = readAccess(storage)
    const isSince =
      stored !== null && stored.storedAtMs >= sinceWallMs && stored.storedAtMs <= wallMs()
    return isSince && isFresh() ? stored : null
  }

  return {
    /** Sets the access token that a page came with; null after signing out. */
    setAccess(expiry: AccessExpiry | null): void {
      if (expiry === null) {
        known = null
        writeAccess(storage, null)
        return
      }
      isSignedOut = false
      readStored()
      // An older page does not overwrite a newer token of another tab.
      if (known === null || expiry.endsAtMs >= known.endsAtMs) remember(expiry)
    },
    /** Milliseconds until the next refresh is due; null when not signed in. */
    dueInMs(): number | null {
      readStored()
      if (known === null) return null
      return Math.max(0, known.deadlineMs - RENEW_AHEAD_MS - monotonicMs(), remainingBackoffMs())
    },
    /** Expiry of the current token, which identifies it; pass it to {@link renew} after a 401. */
    currentEndMs(): number | null {
      readStored()
      return known?.endsAtMs ?? null
    },
    /**
     * Refreshes, unless another tab has done so since.
     *
     * @param seen the token that was refused, by its {@link currentEndMs}
     */
    renew(seen: number | null = known?.endsAtMs ?? null): Promise<RenewalResult> {
      return runInTurn(() => known !== null && known.endsAtMs > (seen ?? 0) && isFresh())
    },
    /**
     * Refreshes for a page that was loaded without a valid access token. If another tab seems to have
     * done so since the page was requested, this is trusted once: the clock may have been changed.
     *
     * @param requestedAtMs when the page was requested, by this device's clock, Unix milliseconds
     */
    renewForPage(requestedAtMs: number): Promise<RenewalResult> {
      return runInTurn(() => {
        const stored = storedSince(requestedAtMs)
        if (stored === null || stored.endsAtMs === trustedEndMs) return false
        trustedEndMs = stored.endsAtMs
        return true
      })
    },
    /** Ends the backoff when the connection is back, unless the API asked for it (`Retry-After`). */
    handleOnline(): void {
      const stored = readBackoff(storage)
      if (stored === null || stored.isRequested) return
      notBeforeMs = 0
      writeBackoff(storage, { ...stored, waitMs: 0 })
    },
  }
}

export type AuthSessionRenewal = ReturnType<typeof makeAuthSessionRenewal>
