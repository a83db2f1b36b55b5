import { type JobId, type TrackId, type UploadId } from '@mist/db/contract'
import { jobs, uploads } from '@mist/db/schema'
import { type Actor, type AdminActor, audit, expireUploads, notifyRelay } from '@mist/db/statements'
import { and, asc, eq, getTableColumns, inArray, isNull, sql } from 'drizzle-orm'
import type { NewUpload } from '../contract/uploads.ts'
import type { Database } from '../platform/database.ts'
import { at } from './rows.ts'

export type UploadRow = NonNullable<Awaited<ReturnType<UploadRepo['find']>>>

export type UploadToInsert = {
  uploadId: UploadId
  jobId: JobId
  trackId: TrackId
  kind: 'ingest' | 'replace'
  by: AdminActor
  file: NewUpload
  objectKey: string
  multipart: { id: string; partSizeBytes: number } | null
  now: Date
  expiresAt: Date
}

export function makeUploadRepo({ db }: { db: Database }) {
  return {
    /** Inserts an upload and the job that waits for it. `false`: the track to replace is gone. */
    async insert(upload: UploadToInsert): Promise<boolean> {
      const { by, file, multipart } = upload
      const { filename, sizeBytes } = file
      const entry =
        upload.kind === 'ingest'
          ? ({ action: 'upload.create', target: 'upload', targetId: upload.uploadId } as const)
          : ({ action: 'track.replace', target: 'track', targetId: upload.trackId } as const)
      const details = { filename, sizeBytes, uploadId: upload.uploadId }
      const { rows } = await db.execute(
        sql`with made as (
          insert into uploads (id, user_id, filename, size_bytes, content_type, metadata, object_key,
                               multipart_id, part_size_bytes, created_at, expires_at)
          select ${upload.uploadId}::uuid, ${upload.by.userId}::uuid, ${file.filename}::text,
                 ${file.sizeBytes}::bigint, ${file.contentType}::text,
                 ${JSON.stringify(file.metadata ?? {})}::jsonb, ${upload.objectKey}::text,
                 ${multipart?.id ?? null}::text, ${multipart?.partSizeBytes ?? null}::integer,
                 ${at(upload.now)}, ${at(upload.expiresAt)}
          where ${upload.kind === 'ingest'}::boolean or exists (
            select 1 from tracks where id = ${upload.trackId} and deleted_at is null
          )
          returning id
        ), job as (
          insert into jobs (id, kind, upload_id, track_id, status, created_at)
          select ${upload.jobId}::uuid, ${upload.kind}::text, made.id, ${upload.trackId}::uuid,
                 'pending_upload', ${at(upload.now)}
          from made
        ), audited as (${audit(by, { ...entry, details }, sql`made`)})
        select id from made`,
      )
      return rows.length > 0
    },

    /** An upload and the job it was made for. */
    async find(uploadId: UploadId) {
      const [row] = await db
        .select({
          ...getTableColumns(uploads),
          jobId: jobs.id,
          jobStatus: jobs.status,
          trackId: jobs.trackId,
        })
        .from(uploads)
        // The first job is the upload's own; a re-transcode adds others to the same original.
        .innerJoin(
          jobs,
          and(eq(jobs.uploadId, uploads.id), inArray(jobs.kind, ['ingest', 'replace'])),
        )
        .where(eq(uploads.id, uploadId))
        .orderBy(asc(jobs.createdAt))
        .limit(1)
      return row ?? null
    },

    /** Gives an open upload more time. */
    async extend(uploadId: UploadId, expiresAt: Date): Promise<void> {
      await db
        .update(uploads)
        .set({ expiresAt })
        .where(
          and(eq(uploads.id, uploadId), isNull(uploads.completedAt), isNull(uploads.abandonedAt)),
        )
    },

    /**
     * Marks an upload complete, makes its track, queues its job and writes the outbox, all in one
     * statement. The second of two that come at once waits for the first on the upload's row, then
     * finds nothing to do.
     *
     * @param title of the new track, where the metadata names none
     * @param etag of the object that was checked: the transcoder takes no other
     * @returns whether it happened: not where the upload is complete already or was given up
     */
    async complete(
      upload: { id: UploadId; jobId: JobId; trackId: TrackId },
      title: string,
      etag: string | null,
      by: Actor,
      now: Date,
    ): Promise<boolean> {
      const entry = {
        action: 'upload.complete',
        target: 'upload',
        targetId: upload.id,
        details: { trackId: upload.trackId, jobId: upload.jobId },
      } as const
      const { rows } = await db.execute(
        sql`
        with up as (
          update uploads set completed_at = ${at(now)}, etag = ${etag}
          where id = ${upload.id} and completed_at is null and abandoned_at is null
            and exists (select from jobs where id = ${upload.jobId} and status = 'pending_upload')
          returning id, user_id, metadata
        ), job as (
          update jobs j set status = 'queued', queued_at = ${at(now)}
          from up where j.id = ${upload.jobId} and j.status = 'pending_upload'
          returning j.id, j.kind, j.track_id
        ), track as (
          insert into tracks (id, title, year, track_number, genres, attribution, uploaded_by,
                              upload_id, created_at)
          select job.track_id, coalesce(up.metadata->>'title', ${title}::text), (up.metadata->>'year')::integer,
                 (up.metadata->>'trackNumber')::integer,
                 array(select jsonb_array_elements_text(coalesce(up.metadata->'genres', '[]'))),
                 up.metadata->>'attribution', up.user_id, up.id, ${at(now)}
          from job, up where job.kind = 'ingest'
        ), notified as (${notifyRelay('job')}), audited as (${audit(by, entry, sql`job`)})
        select id from job`,
      )
      return rows.length > 0
    },

    /** Expires uploads that were not completed in time; answers with how many. */
    async expire(now: Date, limit: number): Promise<number> {
      return (await db.execute(expireUploads(now, limit))).rows.length
    },
  }
}

export type UploadRepo = ReturnType<typeof makeUploadRepo>
