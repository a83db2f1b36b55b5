import { originalKey, trackPrefix, TrackId, UploadId, versionPrefix } from '@mist/db/contract'
import {
  jobs,
  listeningSessions,
  renditions,
  trackKeys,
  tracks,
  trackVersions,
  uploads,
} from '@mist/db/schema'
import { and, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from './platform/database.ts'
import type { Log } from './platform/log.ts'
import type { ObjectStore } from './platform/object-store.ts'

const NIL = '00000000-0000-0000-0000-000000000000'

/** A version that no run has touched for so long belongs to a dead one. */
const BUILDING_DEAD_S = 300

/** Originals without a row, older than any upload may be. */
const ORPHAN_ORIGINAL_MS = 24 * 3600 * 1000

/** Prefix of all originals, from the one speller of keys. */
const ORIGINALS = originalKey(UploadId.parse(NIL)).replace(NIL, '')

/** Keys collected before they are deleted. */
const BATCH = 500

/** Uploads given up in one turn. */
const ABANDONED_AT_ONCE = 200

const UploadRow = z.object({
  id: UploadId,
  object_key: z.string(),
  multipart_id: z.string().nullable(),
})

const VersionRow = z.object({
  track_id: TrackId,
  version: z.int(),
  cover_version: z.int().nullable(),
})

/**
 * Makes the sweep, which deletes what nobody needs any more. Objects go before the rows that know
 * of them, so a sweep that is cut short is finished by the next.
 */
export function makeSweep(options: {
  db: Database
  objects: ObjectStore
  log: Log
  retiredVersionS: number
  /** Seconds after its end that an upload nobody completed is kept. */
  abandonedUploadS: number
}) {
  const { db, objects, log, retiredVersionS, abandonedUploadS } = options

  async function deletePrefix(prefix: string, keep: (key: string) => boolean): Promise<number> {
    let deleted = 0
    let batch: string[] = []
    const flush = async () => {
      await objects.deleteMedia(batch)
      deleted += batch.length
      batch = []
    }
    for await (const { key } of objects.listMedia(prefix)) {
      if (keep(key)) continue
      batch.push(key)
      if (batch.length === BATCH) await flush()
    }
    await flush()
    return deleted
  }

  /** Forgets a version; where it holds the track's cover, the cover and the row stay. */
  async function deleteVersion(row: z.infer<typeof VersionRow>): Promise<number> {
    const { track_id: trackId, version } = row
    const prefix = versionPrefix(trackId, version)
    const holdsCover = row.cover_version === version
    const deleted = await deletePrefix(
      prefix,
      (key) => holdsCover && key.startsWith(`${prefix}cover-`),
    )
    await db.transaction(async (tx) => {
      await tx
        .delete(renditions)
        .where(and(eq(renditions.trackId, trackId), eq(renditions.version, version)))
      await tx
        .delete(trackKeys)
        .where(and(eq(trackKeys.trackId, trackId), eq(trackKeys.version, version)))
      if (holdsCover) return
      await tx
        .delete(trackVersions)
        .where(and(eq(trackVersions.trackId, trackId), eq(trackVersions.version, version)))
    })
    return deleted
  }

  return {
    /**
     * Deletes versions whose run is dead and retired ones that nobody listens to.
     *
     * @returns the number of versions and of objects
     */
    async versions(): Promise<{ versions: number; objects: number }> {
      const { rows } = await db.execute(sql`
        select v.track_id, v.version, t.cover_version
        from track_versions v
        join tracks t on t.id = v.track_id
        left join jobs j on j.id = v.job_id
        where (
          v.status = 'building'
          and v.created_at < now() - make_interval(secs => ${BUILDING_DEAD_S})
          -- The version of a run that is alive is its job's, and was seen a moment ago.
          and not coalesce(j.status = 'processing' and j.version = v.version
            and j.seen_at > now() - make_interval(secs => ${BUILDING_DEAD_S}), false)
        ) or (
          v.status = 'retired'
          and v.retired_at < now() - make_interval(secs => ${retiredVersionS})
          and not exists (
            select from listening_sessions s
            where s.track_id = v.track_id and s.version = v.version
              and s.ended_at is null and s.expires_at > now()
          )
          and (t.cover_version is distinct from v.version or exists (
            select from renditions r where r.track_id = v.track_id and r.version = v.version
          ))
        )
        limit 200`)
      const swept = { versions: 0, objects: 0 }
      for (const row of rows.map((each) => VersionRow.parse(each))) {
        swept.objects += await deleteVersion(row)
        swept.versions++
      }
      if (swept.versions > 0) log.info(swept, 'swept versions')
      return swept
    },

    /**
     * Deletes uploads that ended long ago and were never completed: what arrived of them, their
     * jobs and their rows.
     *
     * @returns how many
     */
    async abandoned(): Promise<number> {
      // Their jobs end first: from then on the API refuses to complete them.
      const { rows } = await db.execute(sql`
        with old as (
          select u.id, u.object_key, u.multipart_id from uploads u
          where u.completed_at is null
            and u.expires_at < now() - make_interval(secs => ${abandonedUploadS})
            and not exists (
              select from jobs j where j.upload_id = u.id and not (
                j.status = 'pending_upload'
                or (j.status = 'failed' and j.error_code = 'upload-expired')
              )
            )
          order by u.expires_at limit ${ABANDONED_AT_ONCE}
          for update skip locked
        ), ended as (
          update jobs j
          set status = 'failed', error_code = 'upload-expired', completed_at = now(),
            error_detail = 'The file did not arrive in time. Upload it again.'
          from old where j.upload_id = old.id and j.status = 'pending_upload'
        )
        select id, object_key, multipart_id from old`)
      const old = rows.map((row) => UploadRow.parse(row))
      for (const upload of old) {
        if (upload.multipart_id !== null) {
          await objects.abortOriginal(upload.object_key, upload.multipart_id)
        }
        await objects.deleteOriginals([upload.object_key])
        await db.transaction(async (tx) => {
          await tx.delete(jobs).where(eq(jobs.uploadId, upload.id))
          await tx.delete(uploads).where(eq(uploads.id, upload.id))
        })
      }
      if (old.length > 0) log.info({ uploads: old.length }, 'swept abandoned uploads')
      return old.length
    },

    /** Deletes originals that belong to no upload: those of uploads and tracks that are gone. */
    async originals(): Promise<number> {
      const known = new Set(
        (await db.select({ key: uploads.objectKey }).from(uploads)).map((row) => row.key),
      )
      const orphans: string[] = []
      for await (const { key, modifiedAt } of objects.listOriginals(ORIGINALS)) {
        if (!known.has(key) && Date.now() - modifiedAt.getTime() > ORPHAN_ORIGINAL_MS) {
          orphans.push(key)
        }
      }
      await objects.deleteOriginals(orphans)
      if (orphans.length > 0) log.info({ originals: orphans.length }, 'swept originals')
      return orphans.length
    },

    /**
     * Deletes a track with everything it ever was: listening on it ends at once, its objects go,
     * then its rows. The same again finishes what was begun.
     */
    async purgeTrack(trackId: TrackId): Promise<void> {
      await db
        .update(tracks)
        .set({ deletedAt: sql`coalesce(deleted_at, now())`, publishedAt: null })
        .where(eq(tracks.id, trackId))
      await db
        .update(listeningSessions)
        .set({ endedAt: sql`now()`, endReason: 'track-deleted' })
        .where(and(eq(listeningSessions.trackId, trackId), sql`ended_at is null`))
      const mine = await db
        .select({ jobId: jobs.id, uploadId: jobs.uploadId, objectKey: uploads.objectKey })
        .from(jobs)
        .innerJoin(uploads, eq(uploads.id, jobs.uploadId))
        .where(eq(jobs.trackId, trackId))
      // A run that is under way is fenced off before its objects are listed and stops at its next
      // report.
      await db
        .update(jobs)
        .set({ status: 'failed', errorCode: 'internal', errorDetail: 'The track was deleted.' })
        .where(and(eq(jobs.trackId, trackId), sql`status in ('queued', 'processing')`))
      await deletePrefix(trackPrefix(trackId), () => false)
      await objects.deleteOriginals(mine.map(({ objectKey }) => objectKey))
      await db.transaction(async (tx) => {
        await tx.delete(renditions).where(eq(renditions.trackId, trackId))
        await tx.delete(trackKeys).where(eq(trackKeys.trackId, trackId))
        await tx.delete(jobs).where(eq(jobs.trackId, trackId))
        for (const { uploadId } of mine) await tx.delete(uploads).where(eq(uploads.id, uploadId))
        await tx.delete(tracks).where(eq(tracks.id, trackId))
      })
      log.info({ trackId }, 'deleted a track')
    },
  }
}
