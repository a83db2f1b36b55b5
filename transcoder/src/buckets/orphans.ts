import { createHash } from 'node:crypto'
import { OWNER_MARK_KEY, TrackId, versionPrefix } from '@mist/db/contract'
import { trackVersions, tombstones, uploads } from '@mist/db/schema'
import { type Actor, audit } from '@mist/db/statements'
import { isNull, sql } from 'drizzle-orm'
import type { Database } from '../platform/database.ts'
import {
  BUCKETS,
  type Bucket,
  type ObjectStore,
  type StoredObject,
} from '../platform/object-store.ts'
import type { Ownership } from './ownership.ts'

/** Younger objects may belong to a run or an upload whose row is just being written. */
const YOUNG_MS = 24 * 3600 * 1000

type Orphan = StoredObject & { bucket: Bucket }

export type Orphans = {
  items: Orphan[]
  /** Names exactly this list: deleting asks for it. */
  digest: string
}

/**
 * Makes the report of orphans: objects of which no row knows. They are never deleted by a sweep, for
 * the missing row may be the fault, not the object.
 */
export function makeOrphans(options: {
  db: Database
  objects: ObjectStore
  ownership: Ownership
  /** Objects younger than this are left out, milliseconds. */
  youngMs?: number
}) {
  const { db, objects, ownership, youngMs = YOUNG_MS } = options

  async function list(): Promise<Orphans> {
    const items: Orphan[] = []
    for (const bucket of BUCKETS) {
      // The objects before the rows: what is stored meanwhile is in neither list, or in both.
      const stored: StoredObject[] = []
      for await (const object of objects.list(bucket, '')) {
        const isYoung = Date.now() - object.modifiedAt.getTime() < youngMs
        if (object.key !== OWNER_MARK_KEY && !isYoung) stored.push(object)
      }
      const isKnown = await knownIn(bucket)
      items.push(...stored.filter(({ key }) => !isKnown(key)).map((each) => ({ bucket, ...each })))
    }
    const lines = items.map((each) =>
      [each.bucket, each.key, each.sizeBytes, each.modifiedAt.toISOString()].join(' '),
    )
    const digest = createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16)
    return { items, digest }
  }

  async function knownIn(bucket: Bucket): Promise<(key: string) => boolean> {
    const buried = await db
      .select({ bucket: tombstones.bucket, key: tombstones.key })
      .from(tombstones)
      .where(isNull(tombstones.purgedAt))
    const known = new Set(buried.flatMap((each) => (each.bucket === bucket ? [each.key] : [])))
    if (bucket === 'originals') {
      for (const { key } of await db.select({ key: uploads.objectKey }).from(uploads))
        known.add(key)
      return (key) => known.has(key)
    }
    const versions = await db
      .select({ trackId: trackVersions.trackId, version: trackVersions.version })
      .from(trackVersions)
    for (const { trackId, version } of versions)
      known.add(versionPrefix(TrackId.parse(trackId), version))
    // `tracks/<id>/` for a tombstone of a track, `tracks/<id>/<version>/` for a version.
    return (key) => {
      const parts = key.split('/')
      return [2, 3].some((depth) => known.has(`${parts.slice(0, depth).join('/')}/`))
    }
  }

  return {
    list,

    /**
     * Deletes exactly the orphans that were shown under this digest.
     *
     * @returns how many, or a sentence that says why not
     */
    async delete(digest: string, by: Actor): Promise<number | string> {
      const permit = await ownership.permit()
      if (typeof permit === 'string') return permit
      const { items, digest: now } = await list()
      if (now !== digest)
        return 'These are not the orphans that were shown. Look at the list again.'
      const details = { objects: items.length, digest }
      // Before, since no statement can be one with a deletion in a bucket: what was begun is known.
      await db.execute(
        audit(by, { action: 'orphans.delete', target: 'installation', details }, sql`installation`),
      )
      for (const bucket of BUCKETS) {
        const keys = items.flatMap((each) => (each.bucket === bucket ? [each.key] : []))
        await objects.delete(permit, bucket, keys)
      }
      return items.length
    },
  }
}
