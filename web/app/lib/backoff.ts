/** First wait after a failure, and the longest, milliseconds. */
const FIRST_MS = 2000
const LONGEST_MS = 5 * 60_000

/** Longest wait that an answer may ask for; it also fits a browser's timer (2³¹ − 1 ms). */
const LONGEST_ASKED_MS = 24 * 3600_000

/**
 * How long to wait before the next try: as long as the answer asked for, else exponential backoff with
 * jitter, so that all the pages that failed together don't come back together.
 *
 * @param failures in a row, this one included
 * @param retryAfterS seconds from `Retry-After`; null where there was none
 * @param random 0 ≤ random < 1
 * @returns milliseconds
 */
export function waitAfter(failures: number, retryAfterS: number | null, random: number): number {
  const backoffMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20))
  const jittered = backoffMs / 2 + (backoffMs / 2) * random
  if (retryAfterS === null) return jittered
  // Never sooner than asked, and spread over a little more.
  return Math.min(LONGEST_ASKED_MS, Math.max(1000, retryAfterS * 1000) * (1 + random / 10))
}
