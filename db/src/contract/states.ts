import { z } from 'zod'

/** What becomes of one run of the transcoder over a track. */
export const VersionStatus = z.enum(['building', 'published', 'retired', 'dead'])
export type VersionStatus = z.infer<typeof VersionStatus>

/** Why a listening session ended. */
export const SessionEndReason = z.enum([
  'completed',
  'superseded',
  'expired',
  'signed-out',
  'track-deleted',
])
export type SessionEndReason = z.infer<typeof SessionEndReason>

/** Why a sign-in ended before its time. */
export const RevokedReason = z.enum(['logout', 'reuse', 'password-change', 'revoked', 'blocked'])
export type RevokedReason = z.infer<typeof RevokedReason>

/** What Postgres owes to the rest of the world. */
export const OutboxTopic = z.enum(['transcode', 'purge-track'])
export type OutboxTopic = z.infer<typeof OutboxTopic>

/** The two buckets, by what they hold. */
export const Bucket = z.enum(['media', 'originals'])
export type Bucket = z.infer<typeof Bucket>

/** Why something is to be deleted from a bucket. */
export const TombstoneReason = z.enum([
  'track-deleted',
  'version-retired',
  'run-dead',
  'upload-abandoned',
])
export type TombstoneReason = z.infer<typeof TombstoneReason>

/** Whose lyrics they are. */
export const LyricsSource = z.enum(['file', 'admin'])

/** What can be found. */
export const SearchEntryType = z.enum(['track', 'artist', 'album'])

/** Where a listen is known from: a session of ours, or another program that told of it. */
export const ListenSource = z.enum(['session', 'scrobble'])
