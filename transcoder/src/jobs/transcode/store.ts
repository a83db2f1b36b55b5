import type { ObjectStore } from '../../platform/object-store.ts'

/** Puts in flight at once: with 40 ms to the store this carries some 400 segments a second. */
export const PUTS_AT_ONCE = 16

/**
 * Stores objects while more are being made. At most {@link PUTS_AT_ONCE} are in flight, so memory
 * stays flat; whoever makes them waits for a free place.
 */
export function makeUploads(objects: ObjectStore, signal: AbortSignal) {
  const flying = new Set<Promise<void>>()
  let failure: { error: unknown } | null = null

  return {
    /** Answers when the object is on its way. @throws what an earlier one failed with */
    async add(key: string, body: Uint8Array, contentType: string): Promise<void> {
      while (flying.size >= PUTS_AT_ONCE) await Promise.race(flying)
      if (failure !== null) throw failure.error
      const put = objects
        .putMedia(key, body, contentType, signal)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => flying.delete(put))
      flying.add(put)
    },
    /** Answers when all are stored. @throws what one of them failed with */
    async finish(): Promise<void> {
      await Promise.all(flying)
      if (failure !== null) throw failure.error
    },
  }
}
