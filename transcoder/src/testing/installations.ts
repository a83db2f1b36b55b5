import { randomUUID } from 'node:crypto'
import { newId, JobId, originalKey, segmentKey, TrackId, UploadId } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { installation } from '@mist/db/schema'
import { makeTestDatabase } from '@mist/db/testing'
import { makeOwnership } from '../buckets/ownership.ts'
import type { Database } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'
import { makeObjectStore, type Bucket } from '../platform/object-store.ts'
import { makeSweep } from '../sweep.ts'
import { startTestS3 } from './stack.ts'

/** Pairs of buckets that one S3 has for the tests of a file. */
const PAIRS = 24

/** Several installations with real databases, on pairs of real buckets. */
export async function startInstallations() {
  const buckets = Array.from({ length: PAIRS }, (_, n) => [`media-${n}`, `originals-${n}`])
  const s3 = await startTestS3(buckets.flat())
  const closing: (() => Promise<void> | void)[] = []
  let used = 0

  function store(pair: number, changes: { endpoint?: string; mediaBucket?: string } = {}) {
    const objects = makeObjectStore({
      endpoint: s3.endpoint,
      region: 'auto',
      accessKeyId: s3.accessKeyId,
      secretAccessKey: s3.secretAccessKey,
      mediaBucket: `media-${pair}`,
      originalsBucket: `originals-${pair}`,
      connections: 20,
      ...changes,
    })
    closing.push(() => objects.close())
    return objects
  }

  const migrated = await makeTestDatabase()
  const blank = await migrated.dump()
  await migrated.close()

  /** A database, new or a copy of another. */
  async function database(copyOf?: Blob) {
    const made = await makeTestDatabase(copyOf ?? blank)
    // To start a migrated database from a copy is faster than to migrate one; its id is its own.
    if (copyOf === undefined) await made.db.update(installation).set({ id: randomUUID() })
    closing.push(made.close)
    // PGlite's drizzle and node-postgres' answer the same to what is asked here.
    return { db: made.db as unknown as Database, dump: made.dump }
  }

  return {
    database,
    store,
    /** A pair of buckets that nobody has used. */
    pair: () => used++,

    /** A stack: a database, a setting and a pair of buckets. */
    installation(options: {
      db: Database
      objects: ReturnType<typeof store>
      setting: string | null
      mayShare?: boolean
    }) {
      const { db, objects, setting, mayShare = false } = options
      const ownership = makeOwnership({ db, objects, setting, mayShare })
      const sweep = makeSweep({
        db,
        objects,
        ownership,
        log: makeLog('silent'),
        retiredVersionS: 0,
        abandonedUploadS: 0,
      })
      return { ownership, sweep: () => sweep.sweep(), deleteTrack: sweep.deleteTrack }
    },

    /** Closes what a test has opened: a database in memory takes some 100 MB. */
    async release(): Promise<void> {
      for (const close of closing.splice(0)) await close()
    },
    async stop(): Promise<void> {
      await this.release()
      await s3.stop()
    },
  }
}

export type Objects = ReturnType<Awaited<ReturnType<typeof startInstallations>>['store']>

/** A published track with three segments, a cover and its original: rows and objects. */
export async function publishTrack({ db, objects }: { db: Database; objects: Objects }) {
  const trackId = newId(TrackId)
  const uploadId = newId(UploadId)
  const jobId = newId(JobId)
  await db.insert(schema.uploads).values({
    id: uploadId,
    filename: 'a.flac',
    sizeBytes: 1,
    contentType: 'audio/flac',
    objectKey: originalKey(uploadId),
    expiresAt: new Date(),
    completedAt: new Date(),
  })
  await db
    .insert(schema.jobs)
    .values({ id: jobId, kind: 'ingest', uploadId, trackId, status: 'completed' })
  await db.insert(schema.tracks).values({
    id: trackId,
    title: 'Kept',
    version: 1,
    coverVersion: 1,
    publishedAt: new Date(),
    uploadId,
  })
  await db.insert(schema.trackVersions).values({ trackId, version: 1, jobId, status: 'published' })
  await storeVersion(objects, trackId, 1)
  await objects.writeText('media', `tracks/${trackId}/1/cover-96.webp`, 'x', null)
  await objects.writeText('originals', originalKey(uploadId), 'x', null)
  return { trackId, uploadId, jobId }
}

/** Three segments of a version. */
export async function storeVersion(objects: Objects, trackId: TrackId, version: number) {
  for (let segment = 0; segment < 3; segment++) {
    await objects.writeText('media', segmentKey(trackId, version, '64k', segment), 'x', null)
  }
}

/** All keys of a bucket, in order, the owner mark among them. */
export async function keysIn(objects: Objects, bucket: Bucket): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of objects.list(bucket, '')) keys.push(key)
  return keys.sort()
}
