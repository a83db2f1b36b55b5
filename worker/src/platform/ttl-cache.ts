export type TtlCache<V> = {
  get(key: string): V | undefined
  /** @param untilMs when it stops being true, milliseconds since 1970 */
  set(key: string, value: V, untilMs: number): void
}

type Entry<V> = { value: V; untilMs: number }

/**
 * Caches values inside one isolate until they are too old, the latest `kept` of them: a hit costs no
 * call to another service.
 *
 * @param now milliseconds since 1970
 */
export function makeTtlCache<V>({ kept, now }: { kept: number; now: () => number }): TtlCache<V> {
  const entries = new Map<string, Entry<V>>()
  return {
    get(key) {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (entry.untilMs > now()) return entry.value
      entries.delete(key)
      return undefined
    },

    set(key, value, untilMs) {
      entries.delete(key)
      entries.set(key, { value, untilMs })
      for (const oldest of entries.keys()) {
        if (entries.size <= kept) break
        entries.delete(oldest)
      }
    },
  }
}
