import { Bucket, TombstoneReason, TrackId, UploadId, versionPrefix } from '@mist/db/contract'
import {
  jobs,
  renditionLayouts,
  renditions,
  tombstones,
  trackEmbeddings,
  trackFileTags,
  trackKeys,
  trackLyrics,
  tracks,
  trackVersions,
  uploads,
} from '@mist/db/schema'
import { type Actor, audit, camelCased, deleteTrack, expireUploads } from '@mist/db/statements'
import { and, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../platform/database.ts'

/** A version that no run has touched for so long belongs to a dead one. */
const BUILDING_DEAD_S = 300

/** Rows looked at in one turn. */
const AT_ONCE = 200

/** How long a tombstone waits after a try that failed. */
const RETRY_S = 600

const Tombstone = z.object({
  // bigserial arrives as text.
  id: z.coerce.number(),
  bucket: Bucket,
  key: z.string(),
  isPrefix: z.boolean(),
  multipartId: z.string().nullable(),
  reason: TombstoneReason,
  trackId: TrackId.nullable(),
  version: z.int().nullable(),
  uploadId: UploadId.nullable(),
  /** The version's prefix holds the track's cover, which is still shown. */
  holdsCover: z.boolean(),
})
export type Tombstone = z.infer<typeof Tombstone>

const VersionRow = z.object({ trackId: TrackId, version: z.int() })
const TrackRow = z.object({ id: TrackId })

/** Tombstones: what rows say is to be deleted from the buckets. */
export function makeTombstoneRepo(db: Database) {
  return {
    /**
     * Writes the tombstones that follow from what rows say and that are not written yet: of runs
     * that died, of uploads whose time is over, and of what releases before tombstones left.
     */
    async bury(): Promise<void> {
      await db.transaction(async (tx) => {
        const { rows } = await tx.execute(sql`
          with old as (
            select v.track_id, v.version from track_versions v
            left join jobs j on j.id = v.job_id
            where v.status = 'building'
              and v.created_at < now() - make_interval(secs => ${BUILDING_DEAD_S})
              -- The version of a run that is alive is its job's, and was seen a moment ago.
              and not coalesce(j.status = 'processing' and j.version = v.version
                and j.seen_at > now() - make_interval(secs => ${BUILDING_DEAD_S}), false)
            limit ${AT_ONCE} for update of v skip locked
          )
          update track_versions v set status = 'dead' from old
          where v.track_id = old.track_id and v.version = old.version
          returning v.track_id, v.version`)
        await buryVersions('run-dead', rows, tx)
      })
      const { rows: retired } = await db.execute(sql`
        select v.track_id, v.version from track_versions v join tracks t on t.id = v.track_id
        where v.status in ('retired', 'dead') and t.deleted_at is null
          and (t.cover_version is distinct from v.version or exists (
            select from renditions r where r.track_id = v.track_id and r.version = v.version
          ))
          and not exists (
            select from tombstones s where s.purged_at is null
              and s.track_id = v.track_id and s.version = v.version
          )
        limit ${AT_ONCE}`)
      await buryVersions('version-retired', retired, db)
      await db.execute(expireUploads(new Date(), AT_ONCE))
      const { rows: deleted } = await db.execute(sql`
        select t.id from tracks t
        where t.deleted_at is not null and t.purged_at is null and (
          not exists (select from tombstones s where s.track_id = t.id and s.bucket = 'media'
            and s.reason = 'track-deleted' and s.purged_at is null)
          -- An upload that was announced or completed in the very moment of the deletion.
          or exists (
            select from jobs j join uploads u on u.id = j.upload_id
            where j.track_id = t.id and not exists (
              select from tombstones s where s.upload_id = u.id and s.purged_at is null
            )
          )
        )
        limit ${AT_ONCE}`)
      for (const row of deleted) {
        await db.execute(deleteTrack(TrackRow.parse(row).id, new Date(), { again: true }))
      }
    },

    /** Hides a track for good and writes its tombstones; the same again is harmless. */
    async deleteTrack(trackId: TrackId): Promise<void> {
      await db.execute(deleteTrack(trackId, new Date(), { again: true }))
    },

    /** Lets what a deleted track's tombstones name go at once. */
    async hasten(trackId: TrackId, by: Actor): Promise<void> {
      const entry = { action: 'track.purge', target: 'track', targetId: trackId } as const
      await db.execute(sql`
        with hastened as (
          update tombstones set not_before = now()
          where track_id = ${trackId} and reason = 'track-deleted' and purged_at is null returning id
        )
        ${audit(by, entry, sql`hastened`)}`)
    },

    /**
     * Tombstones whose time has come, and that what rows say now does not contradict: a track that is
     * back, a version that is published, an upload that was completed stay as they are.
     *
     * @param retiredVersionS how long a replaced version is kept
     * @param abandonedUploadS how long an upload that was not completed is kept after its end
     */
    async due(retiredVersionS: number, abandonedUploadS: number): Promise<Tombstone[]> {
      const { rows } = await db.execute(sql`
        select s.id, s.bucket, s.key, s.is_prefix, s.multipart_id, s.reason, s.track_id, s.version,
          s.upload_id,
          coalesce(s.reason <> 'track-deleted' and t.cover_version = s.version, false) as holds_cover
        from tombstones s
        left join tracks t on t.id = s.track_id
        left join track_versions v on v.track_id = s.track_id and v.version = s.version
        left join uploads u on u.id = s.upload_id
        where s.purged_at is null and s.not_before <= now() and case s.reason
          when 'track-deleted' then
            (t.id is null or t.deleted_at is not null)
            and not exists (
              select from jobs j join tracks other on other.id = j.track_id
              where j.upload_id = s.upload_id and other.deleted_at is null
            )
          when 'run-dead' then coalesce(v.status in ('dead', 'retired'), true)
            and t.version is distinct from s.version
          when 'version-retired' then coalesce(v.status in ('dead', 'retired'), true)
            and t.version is distinct from s.version
            and coalesce(v.retired_at, s.created_at) <= now() - make_interval(secs => ${retiredVersionS})
            and not exists (
              select from listening_sessions l
              where l.track_id = s.track_id and l.version = s.version
                and l.ended_at is null and l.expires_at > now()
            )
          when 'upload-abandoned' then u.completed_at is null
            and coalesce(u.expires_at, s.created_at) <= now() - make_interval(secs => ${abandonedUploadS})
          end
        order by s.not_before, s.id limit ${AT_ONCE}`)
      return rows.map((row) => Tombstone.parse(camelCased(row)))
    },

    /** Notes that the objects of a tombstone are gone, and drops the rows that described them. */
    async purged(tombstone: Tombstone, deleted: number): Promise<void> {
      const { id, trackId, version, uploadId, reason, holdsCover } = tombstone
      await db.transaction(async (tx) => {
        if (uploadId !== null) {
          await tx.delete(jobs).where(eq(jobs.uploadId, uploadId))
          await tx.delete(uploads).where(eq(uploads.id, uploadId))
        } else if (trackId !== null && version !== null) {
          const isThis = (
            table:
              | typeof renditions
              | typeof renditionLayouts
              | typeof trackKeys
              | typeof trackVersions,
          ) => and(eq(table.trackId, trackId), eq(table.version, version))
          await tx.delete(renditions).where(isThis(renditions))
          await tx.delete(renditionLayouts).where(isThis(renditionLayouts))
          await tx.delete(trackKeys).where(isThis(trackKeys))
          if (!holdsCover) await tx.delete(trackVersions).where(isThis(trackVersions))
        } else if (trackId !== null && reason === 'track-deleted') {
          await tx.delete(renditions).where(eq(renditions.trackId, trackId))
          await tx.delete(renditionLayouts).where(eq(renditionLayouts.trackId, trackId))
          await tx.delete(trackKeys).where(eq(trackKeys.trackId, trackId))
          await tx.delete(trackVersions).where(eq(trackVersions.trackId, trackId))
          await tx.delete(trackEmbeddings).where(eq(trackEmbeddings.trackId, trackId))
          await tx.delete(trackFileTags).where(eq(trackFileTags.trackId, trackId))
          await tx.delete(trackLyrics).where(eq(trackLyrics.trackId, trackId))
          // The stub: a name for those who listened to it.
          await tx
            .update(tracks)
            .set({
              purgedAt: sql`now()`,
              publishedAt: null,
              version: null,
              coverVersion: null,
              coverColours: null,
              previewStartS: null,
              tags: null,
              uploadId: null,
              features: null,
              waveform: null,
            })
            .where(eq(tracks.id, trackId))
        }
        await tx
          .update(tombstones)
          .set({ purgedAt: sql`now()`, objects: deleted, failure: null })
          .where(and(eq(tombstones.id, id), sql`purged_at is null`))
      })
    },

    /** Notes that a try failed; the next comes after a while. */
    async failed({ id }: Tombstone, failure: string): Promise<void> {
      await db
        .update(tombstones)
        .set({ failure, notBefore: sql`now() + make_interval(secs => ${RETRY_S})` })
        .where(eq(tombstones.id, id))
    },
  }
}

async function buryVersions(
  reason: 'run-dead' | 'version-retired',
  rows: readonly Record<string, unknown>[],
  tx: Pick<Database, 'insert'>,
): Promise<void> {
  if (rows.length === 0) return
  await tx
    .insert(tombstones)
    .values(
      rows.map((row) => {
        const { trackId, version } = VersionRow.parse(camelCased(row))
        const key = versionPrefix(trackId, version)
        return { bucket: 'media' as const, key, isPrefix: true, reason, trackId, version }
      }),
    )
    .onConflictDoNothing()
}

const Counts = z.object({
  open: z.coerce.number(),
  due: z.coerce.number(),
  failed: z.coerce.number(),
})

/** How many tombstones wait: all, those whose earliest time has come, those that failed. */
export async function readTombstoneCounts(db: Database): Promise<z.infer<typeof Counts>> {
  const { rows } = await db.execute(sql`
    select count(*) as open, count(*) filter (where not_before <= now()) as due, count(failure) as failed
    from tombstones where purged_at is null`)
  return Counts.parse(rows[0])
}
