/** A page in memory: the text of a JSON answer and when it is too old. */
type Entry = { text: string; until: number }

/** Pages kept in one isolate; at some 15 KB each they stay below 2 MB. */
const PAGES_KEPT = 100

/**
 * Remembers pages inside one isolate for a few seconds: a hit costs no call to the edge's cache,
 * which is another process away.
 */
export function makePageMemory({ now = Date.now }: { now?: () => number } = {}) {
  const entries = new Map<string, Entry>()
  return {
    get(key: string): string | null {
      const entry = entries.get(key)
      if (!entry) return null
      if (entry.until > now()) return entry.text
      entries.delete(key)
      return null
    },

    /** @param keepMs how long it may be given out, milliseconds */
    set(key: string, text: string, keepMs: number): void {
      entries.delete(key)
      entries.set(key, { text, until: now() + keepMs })
      for (const oldest of entries.keys()) {
        if (entries.size <= PAGES_KEPT) break
        entries.delete(oldest)
      }
    },
  }
}
