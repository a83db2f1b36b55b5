import { problemOfResponse, unreachable } from '../lib/problem.ts'
import type { Problem } from '../lib/problem.ts'
import { plainUrl } from './hls-files.ts'

/**
 * A key is leased this many seconds before its period starts. A lease is charged, so it waits until
 * it is needed; six seconds leave room for two slow tries.
 */
export const KEY_LEAD_S = 6

/** Longest pause between two tries while the network or the service fails. */
const MAX_PAUSE_MS = 8000

/** Timeout of one try. */
const TRY_TIMEOUT_MS = 8000

export type KeyLoader = {
  /** Sets the session's token and first key, and resumes pending loads. */
  startSession(token: string, first: { url: string; key: ArrayBuffer } | null): void
  /** Replaces the token by a newer one of the same session. */
  setToken(token: string): void
  /** Sets the playback position, which decides which keys are due. */
  setPosition(positionS: number): void
  /**
   * Resolves with a key of 16 bytes: at once if it was leased before, else when its period is near.
   * Waits through outages. A refusal goes to `onRefusal` once, and the key then waits for the next
   * session. So hls.js never sees an error and never retries on its own.
   */
  load(url: string, startS: number, signal: AbortSignal): Promise<ArrayBuffer>
  /** Resolves once a key that is loaded elsewhere has arrived. */
  waitFor(url: string, signal: AbortSignal): Promise<void>
  /** URLs, without tokens, of the keys that have not arrived yet. */
  pendingUrls(): string[]
}

export type KeyLoaderParts = {
  fetch: typeof globalThis.fetch
  origin: string
  /** Resolves after `ms`, or rejects when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  onRefusal: (problem: Problem) => void
  /** Gets a new token after the old one was refused; null if the listener has to act. */
  renew: (problem: Problem) => Promise<string | null>
}

export function makeKeyLoader({
  fetch,
  origin,
  wait,
  onRefusal,
  renew,
}: KeyLoaderParts): KeyLoader {
  const leased = new Map<string, ArrayBuffer>()
  const pending = new Map<string, number>()
  const waiters = new Set<() => void>()
  let token: string | null = null
  /** How many sessions have started: a refused key waits for the next one. */
  let sessions = 0
  let positionS = 0

  function resumeAll(): void {
    for (const resume of waiters) resume()
    waiters.clear()
  }

  async function waitUntil(isReady: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isReady()) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        waiters.add(resolve)
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    }
    signal.throwIfAborted()
  }

  async function tryOnce(url: string, signal: AbortSignal): Promise<ArrayBuffer | Problem> {
    try {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${token}` },
        cache: 'no-store',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_TIMEOUT_MS)]),
      })
      return response.ok ? await response.arrayBuffer() : await problemOfResponse(response)
    } catch {
      signal.throwIfAborted()
      return unreachable()
    }
  }

  async function lease(url: string, signal: AbortSignal): Promise<ArrayBuffer> {
    let pauseMs = 500
    let canRenew = true
    for (;;) {
      const answer = await tryOnce(url, signal)
      if (answer instanceof ArrayBuffer) return answer
      const { status, code, retryAfterS } = answer
      if (status === 0 || status >= 500) {
        await wait(retryAfterS === null ? pauseMs : retryAfterS * 1000, signal)
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)
        continue
      }
      if (status === 429) {
        await wait((retryAfterS ?? 2) * 1000, signal)
        continue
      }
      if (canRenew && (status === 401 || code === 'session-ended')) {
        canRenew = false
        const fresh = await renew(answer)
        if (fresh !== null) {
          token = fresh
          continue
        }
      } else {
        onRefusal(answer)
      }
      const refusedIn = sessions
      await waitUntil(() => sessions > refusedIn, signal)
      canRenew = true
    }
  }

  return {
    startSession(fresh, first) {
      token = fresh
      sessions += 1
      if (first) leased.set(plainUrl(first.url, origin), first.key)
      resumeAll()
    },
    setToken(fresh) {
      token = fresh
    },
    setPosition(to) {
      positionS = to
      resumeAll()
    },
    async load(url, startS, signal) {
      const plain = plainUrl(url, origin)
      pending.set(plain, startS)
      try {
        await waitUntil(
          () => leased.has(plain) || (token !== null && startS - positionS <= KEY_LEAD_S),
          signal,
        )
        const key = leased.get(plain) ?? (await lease(url, signal))
        leased.set(plain, key)
        resumeAll()
        return key.slice(0)
      } finally {
        pending.delete(plain)
      }
    },
    waitFor: (url, signal) => waitUntil(() => leased.has(plainUrl(url, origin)), signal),
    pendingUrls: () => [...pending.keys()],
  }
}
