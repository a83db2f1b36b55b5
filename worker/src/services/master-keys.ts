import {
  importMasterKey,
  type KeyRing,
  type MasterKey,
  type TrackId,
  unwrapMasterKey,
} from '@mist/db/contract'
import type { Clock } from '../platform/clock.ts'
import type { Memory } from '../platform/memory.ts'

/** A master key as the database holds it; `wrapped` in Postgres's hex form, `\x…`. */
export type WrappedKey = { kid: string; wrapped: string }

/** How long an opened key is remembered, milliseconds. It cannot be exported. */
const KEEP_MS = 600_000

const fromHex = (text: string) =>
  Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

const nameOf = (trackId: TrackId, version: number) => `${trackId}/${version}`

/**
 * Opens wrapped master keys. Those of tracks that are being listened to are needed every twelve
 * seconds, so the latest are remembered: a version's master key never changes, it is only wrapped
 * anew.
 */
export function makeMasterKeys({
  keyRing,
  opened,
  clock,
}: {
  keyRing: KeyRing
  opened: Memory<MasterKey>
  clock: Clock
}) {
  return {
    /** The key, if it was opened lately: then the database need not tell it. */
    known: (trackId: TrackId, version: number): MasterKey | undefined =>
      opened.get(nameOf(trackId, version)),

    /** @throws OperationError when the bytes were tampered with, or belong to another track */
    async open(
      { kid, wrapped }: WrappedKey,
      trackId: TrackId,
      version: number,
    ): Promise<MasterKey> {
      const known = opened.get(nameOf(trackId, version))
      if (known) return known
      const bytes = await unwrapMasterKey(keyRing, kid, fromHex(wrapped), trackId, version)
      const key = await importMasterKey(bytes)
      opened.set(nameOf(trackId, version), key, clock().getTime() + KEEP_MS)
      return key
    },
  }
}

export type MasterKeys = ReturnType<typeof makeMasterKeys>
