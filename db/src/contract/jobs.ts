import { z } from 'zod'
import { JobId, TrackId } from './ids.ts'

/** BullMQ queue of everything the transcoder does. */
export const TRANSCODE_QUEUE = 'transcode'

export const JobStatus = z.enum(['pending_upload', 'queued', 'processing', 'completed', 'failed'])
export type JobStatus = z.infer<typeof JobStatus>

/** The steps of the recipe, in order. */
export const JOB_STEPS = ['download', 'probe', 'analyse', 'encode', 'publish'] as const
export const JobStep = z.enum(JOB_STEPS)
export type JobStep = z.infer<typeof JobStep>

/**
 * What a job is for: a new track; new audio for a track; and of an original that is there already, all
 * of it again (after a change of the ladder), what is heard of it, or what its tags say.
 */
export const JobKind = z.enum(['ingest', 'replace', 'retranscode', 'reembed', 'retag'])
export type JobKind = z.infer<typeof JobKind>

/** What is done to a catalogue that is there already, in the background, behind what people upload. */
export const RemakeKind = z.enum(['retranscode', 'reembed', 'retag'])
export type RemakeKind = z.infer<typeof RemakeKind>

/** Whether a job waits behind those that somebody waits for. */
export function isBackground(kind: JobKind): boolean {
  return RemakeKind.safeParse(kind).success
}

/**
 * A queued job carries identity, not data: the processor re-reads the row. `v` is the version of
 * this shape.
 */
export const TranscodeJob = z.strictObject({ v: z.literal(1), jobId: JobId, trackId: TrackId })
export type TranscodeJob = z.infer<typeof TranscodeJob>

/** Why a job ended without a track; `detail` beside it is a sentence for the admin. */
export const JobErrorCode = z.enum([
  'upload-expired',
  'not-audio',
  'no-audio-stream',
  'unsupported-format',
  'empty-file',
  'truncated',
  'too-long',
  'too-short',
  'too-large',
  'too-many-channels',
  'original-missing',
  'original-changed',
  'timed-out',
  'disk-full',
  'gave-up',
  'internal',
])
export type JobErrorCode = z.infer<typeof JobErrorCode>
