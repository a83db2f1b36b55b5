import {
  importMasterKey,
  type KeyRing,
  type MasterKey,
  type TrackId,
  unwrapMasterKey,
} from '@mist/db/contract'
import type { Clock } from '../platform/clock.ts'
import type { TtlCache } from '../platform/ttl-cache.ts'

/** A master key as the database holds it. */
export type WrappedKey = { kid: string; wrapped: Uint8Array }

/** How long an opened key is cached, milliseconds. It cannot be exported. */
const KEEP_MS = 600_000

/** The opened keys of a track, by version. */
export type OpenedKeys = ReadonlyMap<number, MasterKey>

const NONE: OpenedKeys = new Map()

/**
 * Opens wrapped master keys. Those of tracks that are being listened to are needed every few
 * seconds, so the latest are cached: a version's master key never changes, it is only wrapped
 * anew.
 */
export function makeMasterKeys({
  keyRing,
  opened,
  clock,
}: {
  keyRing: KeyRing
  opened: TtlCache<OpenedKeys>
  clock: Clock
}) {
  return {
    /** The keys of a track that were opened lately: then the database is not asked for them. */
    known: (trackId: TrackId): OpenedKeys => opened.get(trackId) ?? NONE,

    /** @throws OperationError when the bytes were tampered with, or belong to another track */
    async open(
      { kid, wrapped }: WrappedKey,
      trackId: TrackId,
      version: number,
    ): Promise<MasterKey> {
      const bytes = await unwrapMasterKey(keyRing, kid, new Uint8Array(wrapped), trackId, version)
      const key = await importMasterKey(bytes)
      const keys = new Map(opened.get(trackId)).set(version, key)
      opened.set(trackId, keys, clock().getTime() + KEEP_MS)
      return key
    },
  }
}

export type MasterKeys = ReturnType<typeof makeMasterKeys>
