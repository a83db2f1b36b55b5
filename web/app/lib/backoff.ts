/** Wait after the first failure, and the longest, milliseconds. */
const FIRST_MS = 2000
const MAX_MS = 5 * 60_000

/** Longest `Retry-After` that is honoured; it also fits a browser's timer (2³¹ − 1 ms). */
const MAX_RETRY_AFTER_MS = 24 * 3600_000

/**
 * How long to wait before the next try: `Retry-After`, else exponential backoff with jitter, so that
 * pages that failed together do not retry together.
 *
 * @param failures in a row, this one included
 * @param retryAfterS seconds from `Retry-After`; null without that header
 * @param random 0 ≤ random < 1
 * @returns milliseconds
 */
export function backoffMs(failures: number, retryAfterS: number | null, random: number): number {
  const exponentialMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20))
  const jittered = exponentialMs / 2 + (exponentialMs / 2) * random
  if (retryAfterS === null) return jittered
  // Never sooner, and spread over a little more.
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(1000, retryAfterS * 1000) * (1 + random / 10))
}
