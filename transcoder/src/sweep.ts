import type { TrackId } from '@mist/db/contract'
import type { Actor } from '@mist/db/statements'
import { makeTombstoneRepo, type Tombstone } from './buckets/tombstone-repo.ts'
import type { Ownership } from './buckets/ownership.ts'
import type { Database } from './platform/database.ts'
import type { Log } from './platform/log.ts'
import type { DeletePermit, ObjectStore } from './platform/object-store.ts'

/** Keys collected before they are deleted. */
const BATCH = 500

/** What a sweep did. */
export type Swept = {
  tombstones: number
  objects: number
  /** Tombstones that could not be worked off; they are tried again. */
  failed: number
  /** Why nothing was deleted; null where deleting is fine. */
  held: string | null
}

/**
 * Makes the sweep, which deletes what tombstones name and nothing else, in buckets that are this
 * own installation's. Objects go before the rows that know of them, so a sweep that is
 * cut short is finished by the next; two at once do the same harmless thing.
 */
export function makeSweep(options: {
  db: Database
  objects: ObjectStore
  ownership: Ownership
  log: Log
  /** Seconds that a replaced version is kept. */
  retiredVersionS: number
  /** Seconds after its end that an upload nobody completed is kept. */
  abandonedUploadS: number
}) {
  const { db, objects, ownership, log, retiredVersionS, abandonedUploadS } = options
  const tombstones = makeTombstoneRepo(db)
  let lastHeld: string | null = null

  async function deletePrefix(
    permit: DeletePermit,
    { bucket, key: prefix, holdsCover }: Tombstone,
  ): Promise<number> {
    let deleted = 0
    let batch: string[] = []
    const flush = async () => {
      await objects.delete(permit, bucket, batch)
      deleted += batch.length
      batch = []
    }
    for await (const { key } of objects.list(bucket, prefix)) {
      if (holdsCover && key.startsWith(`${prefix}cover-`)) continue
      batch.push(key)
      if (batch.length === BATCH) await flush()
    }
    await flush()
    return deleted
  }

  async function purge(permit: DeletePermit, tombstone: Tombstone): Promise<number> {
    const { bucket, key, isPrefix, multipartId } = tombstone
    if (isPrefix) return deletePrefix(permit, tombstone)
    if (multipartId !== null) await objects.abortOriginal(permit, key, multipartId)
    const isThere = await objects.has(bucket, key)
    if (isThere) await objects.delete(permit, bucket, [key])
    return isThere ? 1 : 0
  }

  function hold(reason: string, swept: Swept): Swept {
    // Once, not every ten minutes.
    if (reason !== lastHeld) log.warn({ reason }, 'nothing is deleted')
    lastHeld = reason
    return { ...swept, held: reason }
  }

  return {
    /** Hides a track for good; its objects go by tombstones. The same again is harmless. */
    deleteTrack: (trackId: TrackId): Promise<void> => tombstones.deleteTrack(trackId),

    /** Lets a deleted track's objects go with the next sweep, without waiting for the day. */
    hasten: (trackId: TrackId, by: Actor): Promise<void> => tombstones.hasten(trackId, by),

    /** Writes the tombstones that are still to be written, and works off those whose time has come. */
    async sweep(): Promise<Swept> {
      const swept: Swept = { tombstones: 0, objects: 0, failed: 0, held: null }
      await tombstones.bury()
      const permit = await ownership.permit()
      if (typeof permit === 'string') return hold(permit, swept)
      lastHeld = null
      for (const tombstone of await tombstones.due(retiredVersionS, abandonedUploadS)) {
        // Asked again each time: another installation may have taken the buckets over meanwhile.
        if (!(await ownership.holds(permit))) return hold('The owner marks have changed.', swept)
        try {
          const deleted = await purge(permit, tombstone)
          await tombstones.purged(tombstone, deleted)
          swept.objects += deleted
          swept.tombstones++
        } catch (error) {
          swept.failed++
          log.warn({ key: tombstone.key, err: error }, 'could not delete; will try again')
          await tombstones.failed(tombstone, error instanceof Error ? error.message : String(error))
        }
      }
      if (swept.tombstones > 0) log.info(swept, 'swept')
      return swept
    },
  }
}
