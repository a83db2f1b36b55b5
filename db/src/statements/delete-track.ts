import { sql, type SQL } from 'drizzle-orm'
import type { TrackId } from '../contract/ids.ts'
import { trackPrefix } from '../contract/object-keys.ts'
import { audit, type Actor } from './audit.ts'

/** How long a deleted track's objects are kept: long enough to notice a mistake. */
const KEPT_S = 24 * 3600

/** A presigned PUT that began in time may end after its upload's. */
const LATE_BYTES_S = 3600

/**
 * Hides a track for good: ends its listening sessions, fails its unfinished jobs, and writes the
 * tombstones by which its objects are deleted a day later. Answers with the id, or no row where there
 * is no such track.
 *
 * @param by who deletes it, for the audit log; null: a deletion of before that is brought to its end
 * @param again also for a track that was deleted without tombstones, as releases before them did
 */
export function deleteTrack(
  trackId: TrackId,
  now: Date,
  { by = null, again = false }: { by?: Actor | null; again?: boolean } = {},
): SQL {
  const at = sql`${now.toISOString()}::timestamptz`
  const isOpen = again ? sql`purged_at is null` : sql`deleted_at is null`
  const entry = { action: 'track.delete', target: 'track', targetId: trackId } as const
  const audited = by ? sql`, audited as (${audit(by, entry, sql`gone`)})` : undefined
  return sql`
    with gone as (
      update tracks set deleted_at = coalesce(deleted_at, ${at})
      where id = ${trackId} and ${isOpen} returning id
    ), ended as (
      update listening_sessions s set ended_at = ${at}, end_reason = 'track-deleted'
      from gone where s.track_id = gone.id and s.ended_at is null
    ), dropped as (
      -- A run that is under way is fenced off by this, too: it stops at its next report.
      update jobs j set status = 'failed', error_code = 'original-missing',
             error_detail = 'The track was deleted.', completed_at = ${at}
      from gone where j.track_id = gone.id and j.status in ('pending_upload', 'queued', 'processing')
    ), media as (
      insert into tombstones (bucket, key, is_prefix, reason, track_id, created_at, not_before)
      select 'media', ${trackPrefix(trackId)}, true, 'track-deleted', gone.id, ${at},
             ${at} + make_interval(secs => ${KEPT_S})
      from gone
      on conflict (bucket, key) where purged_at is null do nothing
    ), originals as (
      insert into tombstones (bucket, key, multipart_id, reason, track_id, upload_id, created_at, not_before)
      select distinct on (u.id) 'originals', u.object_key,
             case when u.completed_at is null then u.multipart_id end, 'track-deleted', gone.id, u.id, ${at},
             greatest(${at} + make_interval(secs => ${KEPT_S}),
                      u.expires_at + make_interval(secs => ${LATE_BYTES_S}))
      from gone join jobs j on j.track_id = gone.id join uploads u on u.id = j.upload_id
      on conflict (bucket, key) where purged_at is null do nothing
    )${audited}
    select id from gone`
}
