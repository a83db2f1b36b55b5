import { sql, type SQL } from 'drizzle-orm'

/**
 * Expires uploads that were not completed in time: they can't be completed any more, their jobs fail, and
 * tombstones name what may have arrived of them. Answers with the ids of at most `limit`. The Worker's
 * schedule and the transcoder's sweep both run it, so that either is enough.
 */
export function expireUploads(now: Date, limit: number): SQL {
  const at = sql`${now.toISOString()}::timestamptz`
  return sql`
    with due as (
      select u.id, u.object_key, u.multipart_id from uploads u
      where u.completed_at is null and u.abandoned_at is null and u.expires_at <= ${at}
        and not exists (
          select from jobs j where j.upload_id = u.id and not (
            j.status = 'pending_upload' or (j.status = 'failed' and j.error_code = 'upload-expired')
          )
        )
      order by u.expires_at limit ${limit} for update of u skip locked
    ), marked as (
      update uploads u set abandoned_at = ${at} from due where u.id = due.id
    ), failed as (
      update jobs j set status = 'failed', error_code = 'upload-expired', completed_at = ${at},
             error_detail = 'The file did not arrive in time. Upload it again.'
      from due where j.upload_id = due.id and j.status = 'pending_upload'
    ), buried as (
      insert into tombstones (bucket, key, multipart_id, reason, upload_id, created_at, not_before)
      select 'originals', object_key, multipart_id, 'upload-abandoned', id, ${at}, ${at} from due
      on conflict (bucket, key) where purged_at is null do nothing
    )
    select id from due`
}
