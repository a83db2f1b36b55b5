import { z } from 'zod'

/** What the audit log calls what an admin did, or a person at the command line. */
export const AuditAction = z.enum([
  'upload.create',
  'upload.complete',
  'track.update',
  'track.replace',
  'track.delete',
  'track.purge',
  'track.lyrics',
  'remake.start',
  'remake.pause',
  'remake.resume',
  'remake.stop',
  'job.retry',
  'user.role',
  'keys.rewrap',
  'buckets.claim',
  'orphans.delete',
])
export type AuditAction = z.infer<typeof AuditAction>

/** What kind of thing it was done to; `installation` is all of it. */
export const AuditTarget = z.enum(['upload', 'track', 'job', 'user', 'installation'])
export type AuditTarget = z.infer<typeof AuditTarget>
