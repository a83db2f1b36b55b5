import { JobId, JobKind, JobStatus, TrackId, UploadId, type UserId } from '@mist/db/contract'
import { expireUploads, notifyRelay } from '@mist/db/statements'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { NewUpload } from '../contract/uploads.ts'
import type { Database } from '../platform/database.ts'
import { at, Big, Instant, rowOf, rowsOf } from './rows.ts'

const UploadRow = z
  .object({
    id: UploadId,
    job_id: JobId,
    job_status: JobStatus,
    kind: JobKind,
    track_id: TrackId,
    filename: z.string(),
    size_bytes: Big,
    content_type: z.string(),
    object_key: z.string(),
    multipart_id: z.string().nullable(),
    part_size_bytes: z.int().nullable(),
    expires_at: Instant,
    completed_at: Instant.nullable(),
  })
  .transform((row) => ({
    id: row.id,
    jobId: row.job_id,
    jobStatus: row.job_status,
    kind: row.kind,
    trackId: row.track_id,
    filename: row.filename,
    sizeBytes: row.size_bytes,
    contentType: row.content_type,
    objectKey: row.object_key,
    multipartId: row.multipart_id,
    partSizeBytes: row.part_size_bytes,
    expiresAt: row.expires_at,
    isCompleted: row.completed_at !== null,
  }))
export type UploadRow = z.infer<typeof UploadRow>

export type UploadToInsert = {
  uploadId: UploadId
  jobId: JobId
  trackId: TrackId
  kind: 'ingest' | 'replace'
  userId: UserId
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
      const { file, multipart } = upload
      const row = await rowOf(
        db,
        z.object({ id: UploadId }),
        sql`with made as (
          insert into uploads (id, user_id, filename, size_bytes, content_type, metadata, object_key,
                               multipart_id, part_size_bytes, created_at, expires_at)
          select ${upload.uploadId}::uuid, ${upload.userId}::uuid, ${file.filename}::text,
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
        )
        select id from made`,
      )
      return row !== null
    },

    /** An upload and the job it was made for. */
    find(uploadId: UploadId): Promise<UploadRow | null> {
      return rowOf(
        db,
        UploadRow,
        // The first job is the upload's own; a re-transcode adds others to the same original.
        sql`select u.id, j.id as job_id, j.status as job_status, j.kind, j.track_id, u.filename,
                   u.size_bytes, u.content_type, u.object_key, u.multipart_id, u.part_size_bytes,
                   u.expires_at, u.completed_at
            from uploads u join jobs j on j.upload_id = u.id and j.kind in ('ingest', 'replace')
            where u.id = ${uploadId} order by j.created_at limit 1`,
      )
    },

    /** Gives an open upload more time. */
    async extend(uploadId: UploadId, expiresAt: Date): Promise<void> {
      await db.execute(sql`
        update uploads set expires_at = ${at(expiresAt)}
        where id = ${uploadId} and completed_at is null and abandoned_at is null`)
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
      upload: UploadRow,
      title: string,
      etag: string | null,
      now: Date,
    ): Promise<boolean> {
      const row = await rowOf(
        db,
        z.object({ id: JobId }),
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
        ), notified as (${notifyRelay('job')})
        select id from job`,
      )
      return row !== null
    },

    /**
     * Gives up on uploads whose time is over; what may have arrived of them is left to the sweep.
     * Answers with how many.
     */
    async expire(now: Date, limit: number): Promise<number> {
      return (await rowsOf(db, z.object({ id: UploadId }), expireUploads(now, limit))).length
    },
  }
}

export type UploadRepo = ReturnType<typeof makeUploadRepo>
