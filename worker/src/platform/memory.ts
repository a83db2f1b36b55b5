type Entry<V> = { value: V; untilMs: number }

/**
 * Remembers values inside one isolate until they are too old, the latest `kept` of them: a hit costs
 * no call to anywhere.
 *
 * @param now milliseconds since 1970
 */
export function makeMemory<V>({ kept, now = Date.now }: { kept: number; now?: () => number }) {
  const entries = new Map<string, Entry<V>>()
  return {
    get(key: string): V | undefined {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (entry.untilMs > now()) return entry.value
      entries.delete(key)
      return undefined
    },

    /** @param untilMs when it stops being true, milliseconds since 1970 */
    set(key: string, value: V, untilMs: number): void {
      entries.delete(key)
      entries.set(key, { value, untilMs })
      for (const oldest of entries.keys()) {
        if (entries.size <= kept) break
        entries.delete(oldest)
      }
    },
  }
}
