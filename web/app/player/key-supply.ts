import { problemOfResponse, unreachable } from '../lib/problem.ts'
import type { Problem } from '../lib/problem.ts'
import { plainUrl } from './answers.ts'

/**
 * Seconds before a period starts at which its key is leased. A lease is charged, so it waits until
 * it is needed; six seconds leave room for two slow tries.
 */
export const KEY_LEAD_S = 6

/** Longest pause between two tries of a key that the network or the service failed to give. */
const LONGEST_PAUSE_MS = 8000

/** One try of a key may take this long before it counts as lost. */
const TRY_MS = 8000

export type KeySupply = {
  /** Lets keys be asked for, with what the session brought. Wakes whatever waits. */
  open(token: string, first: { url: string; key: ArrayBuffer } | null): void
  /** Replaces the token by a fresh one of the same session. */
  renewed(token: string): void
  /** Tells where the listener is, which decides whose turn it is. */
  moved(positionS: number): void
  /**
   * Answers with a key of 16 bytes, sooner or later: at once if it was leased before, else when its
   * period is near. Waits through outages; a refusal is told once to `onRefusal`, and the key waits
   * until the supply is opened again. So hls.js never sees an error, and never retries on its own.
   */
  key(url: string, startS: number, signal: AbortSignal): Promise<ArrayBuffer>
  /** Waits until a key that is asked for elsewhere has come. */
  leased(url: string, signal: AbortSignal): Promise<void>
  /** Plain URLs of the keys that are waited for. */
  waiting(): string[]
}

export type KeySupplyParts = {
  fetch: typeof globalThis.fetch
  origin: string
  /** Resolves after `ms`, or rejects when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  onRefusal: (problem: Problem) => void
  /** Gets a new token after the old one was refused; null when the listener has to act. */
  renew: (problem: Problem) => Promise<string | null>
}

export function makeKeySupply({
  fetch,
  origin,
  wait,
  onRefusal,
  renew,
}: KeySupplyParts): KeySupply {
  const leased = new Map<string, ArrayBuffer>()
  const pending = new Map<string, number>()
  const wakers = new Set<() => void>()
  let token: string | null = null
  let opening = 0
  let positionS = 0

  function wake(): void {
    for (const waker of wakers) waker()
    wakers.clear()
  }

  async function until(isReady: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isReady()) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        wakers.add(resolve)
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
        signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]),
      })
      return response.ok ? await response.arrayBuffer() : await problemOfResponse(response)
    } catch {
      signal.throwIfAborted()
      return unreachable()
    }
  }

  async function lease(url: string, signal: AbortSignal): Promise<ArrayBuffer> {
    let pauseMs = 500
    let mayRenew = true
    for (;;) {
      const answer = await tryOnce(url, signal)
      if (answer instanceof ArrayBuffer) return answer
      const { status, code, retryAfterS } = answer
      if (status === 0 || status >= 500) {
        await wait(retryAfterS === null ? pauseMs : retryAfterS * 1000, signal)
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
        continue
      }
      if (status === 429) {
        await wait((retryAfterS ?? 2) * 1000, signal)
        continue
      }
      if (mayRenew && (status === 401 || code === 'session-ended')) {
        mayRenew = false
        const fresh = await renew(answer)
        if (fresh !== null) {
          token = fresh
          continue
        }
      } else {
        onRefusal(answer)
      }
      const refusedAt = opening
      await until(() => opening > refusedAt, signal)
      mayRenew = true
    }
  }

  return {
    open(fresh, first) {
      token = fresh
      opening += 1
      if (first) leased.set(plainUrl(first.url, origin), first.key)
      wake()
    },
    renewed(fresh) {
      token = fresh
    },
    moved(to) {
      positionS = to
      wake()
    },
    async key(url, startS, signal) {
      const plain = plainUrl(url, origin)
      pending.set(plain, startS)
      try {
        await until(
          () => leased.has(plain) || (token !== null && startS - positionS <= KEY_LEAD_S),
          signal,
        )
        const key = leased.get(plain) ?? (await lease(url, signal))
        leased.set(plain, key)
        wake()
        return key.slice(0)
      } finally {
        pending.delete(plain)
      }
    },
    leased: (url, signal) => until(() => leased.has(plainUrl(url, origin)), signal),
    waiting: () => [...pending.keys()],
  }
}
