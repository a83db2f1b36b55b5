import type { Job, JobStep } from '../lib/api-types.ts'

/**
 * The upload list as a pure state machine: files wait, are sent a few at a time, and become jobs with
 * steps. It knows no network and no clock; uploads.ts runs its effects.
 */

/** Files sent at the same time: more would share the same bandwidth and finish no sooner. */
export const PARALLEL_UPLOADS = 3

type UploadPhase =
  | { kind: 'waiting' }
  | { kind: 'sending'; sentBytes: number }
  /** All bytes are stored; the API is being notified. */
  | { kind: 'completing' }
  | { kind: 'processing'; step: JobStep | null; progress: number }
  | { kind: 'done'; trackId: string }
  /** `again`: what trying again means. None where it cannot help. */
  | { kind: 'failed'; sentence: string; retry: 'send' | 'job' | null }
  /** A job from an earlier visit whose file was not fully uploaded; it has to be chosen again. */
  | { kind: 'unsent' }

export type UploadItem = {
  id: string
  name: string
  /** Null for a job from an earlier visit. */
  sizeBytes: number | null
  jobId: string | null
  uploadId: string | null
  phase: UploadPhase
}

export type UploadState = { items: readonly UploadItem[] }

export type ChosenFile = { id: string; name: string; sizeBytes: number; refusal: string | null }

export type UploadEvent =
  | { type: 'chosen'; files: readonly ChosenFile[] }
  | { type: 'created'; id: string; uploadId: string; jobId: string }
  | { type: 'sent'; id: string; sentBytes: number }
  | { type: 'stored'; id: string }
  | { type: 'queued'; id: string }
  | { type: 'failed'; id: string; sentence: string; mayRetry: boolean }
  | { type: 'retry'; id: string }
  | { type: 'remove'; id: string }
  | { type: 'jobs'; jobs: readonly Job[] }

export type UploadEffect =
  /** Send the file; with `uploadId`, continue an earlier upload. */
  | { type: 'send'; id: string; uploadId: string | null }
  | { type: 'abort'; id: string }
  | { type: 'retry-job'; id: string; jobId: string }
  /** A job has started: poll soon. */
  | { type: 'poll-jobs' }

export type UploadStep = { state: UploadState; effects: UploadEffect[] }

export const initialUploads: UploadState = { items: [] }

/** Errors that a second try cannot change: the file itself is the reason. */
const NOT_RETRYABLE = new Set([
  'not-audio',
  'no-audio-stream',
  'unsupported-format',
  'empty-file',
  'truncated',
  'too-long',
  'too-short',
  'too-large',
  'too-many-channels',
])

/** Whether the file is being sent or waits for it: leaving the page would lose it. */
export function isUnderway({ phase }: UploadItem): boolean {
  return ['waiting', 'sending', 'completing'].includes(phase.kind)
}

/** Whether to poll the API for the job's progress. */
export function isWatched({ phase }: UploadItem): boolean {
  return phase.kind === 'processing'
}

/** Counts for a summary line. */
export function tallyOf({ items }: UploadState): {
  underway: number
  processing: number
  done: number
  failed: number
} {
  return {
    underway: items.filter(isUnderway).length,
    processing: items.filter(isWatched).length,
    done: items.filter(({ phase }) => phase.kind === 'done').length,
    failed: items.filter(({ phase }) => phase.kind === 'failed').length,
  }
}

function phaseOfJob(job: Job): UploadPhase {
  switch (job.status) {
    case 'pending_upload':
      return { kind: 'unsent' }
    case 'queued':
      return { kind: 'processing', step: null, progress: 0 }
    case 'processing':
      return { kind: 'processing', step: job.step, progress: job.progress }
    case 'completed':
      return { kind: 'done', trackId: job.trackId }
    case 'failed':
      return {
        kind: 'failed',
        sentence: job.error?.detail ?? 'The file could not be processed.',
        retry: job.error && NOT_RETRYABLE.has(job.error.code) ? null : 'job',
      }
  }
}

function changed(state: UploadState, id: string, change: Partial<UploadItem>): UploadState {
  return { items: state.items.map((item) => (item.id === id ? { ...item, ...change } : item)) }
}

/** Starts waiting files, up to the limit. */
function filled(state: UploadState, effects: UploadEffect[]): UploadStep {
  let room =
    PARALLEL_UPLOADS -
    state.items.filter(({ phase }) => phase.kind === 'sending' || phase.kind === 'completing')
      .length
  const starting: UploadEffect[] = []
  const items = state.items.map((item): UploadItem => {
    if (item.phase.kind !== 'waiting' || room <= 0) return item
    room -= 1
    starting.push({ type: 'send', id: item.id, uploadId: item.uploadId })
    return { ...item, phase: { kind: 'sending', sentBytes: 0 } }
  })
  return { state: starting.length > 0 ? { items } : state, effects: [...effects, ...starting] }
}

function chosen(state: UploadState, files: readonly ChosenFile[]): UploadStep {
  const fresh = files.map(({ id, name, sizeBytes, refusal }): UploadItem => {
    // A file with the name of an unfinished earlier upload continues that one.
    const earlier = state.items.find((item) => item.phase.kind === 'unsent' && item.name === name)
    return {
      id,
      name,
      sizeBytes,
      jobId: null,
      uploadId: earlier?.uploadId ?? null,
      phase:
        refusal === null ? { kind: 'waiting' } : { kind: 'failed', sentence: refusal, retry: null },
    }
  })
  const taken = new Set(fresh.map(({ uploadId }) => uploadId))
  const others = state.items.filter(
    ({ phase, uploadId }) => !(phase.kind === 'unsent' && taken.has(uploadId)),
  )
  return filled({ items: [...fresh, ...others] }, [])
}

function retried(state: UploadState, id: string): UploadStep {
  const item = state.items.find((each) => each.id === id)
  if (item?.phase.kind !== 'failed') return { state, effects: [] }
  if (item.phase.retry === 'send') {
    return filled(changed(state, id, { phase: { kind: 'waiting' } }), [])
  }
  if (item.phase.retry === 'job' && item.jobId !== null) {
    return {
      state: changed(state, id, { phase: { kind: 'processing', step: null, progress: 0 } }),
      effects: [{ type: 'retry-job', id, jobId: item.jobId }],
    }
  }
  return { state, effects: [] }
}

function removed(state: UploadState, id: string): UploadStep {
  const item = state.items.find((each) => each.id === id)
  if (!item) return { state, effects: [] }
  const abort: UploadEffect[] = isUnderway(item) ? [{ type: 'abort', id }] : []
  return filled({ items: state.items.filter((each) => each !== item) }, abort)
}

function withJobs(state: UploadState, jobs: readonly Job[]): UploadState {
  const byId = new Map(jobs.map((job) => [job.id as string, job]))
  const items = state.items.map((item): UploadItem => {
    const job = item.jobId === null ? undefined : byId.get(item.jobId)
    if (!job) return item
    byId.delete(job.id)
    // Until the file is stored, this page knows more than the API.
    const follows = isWatched(item) || (item.sizeBytes === null && !isUnderway(item))
    return follows ? { ...item, phase: phaseOfJob(job) } : item
  })
  const earlier = [...byId.values()].map((job): UploadItem => ({
    id: job.id,
    name: job.filename,
    sizeBytes: null,
    jobId: job.id,
    uploadId: job.uploadId,
    phase: phaseOfJob(job),
  }))
  return { items: [...items, ...earlier] }
}

/** Applies an event. */
export function stepUploads(state: UploadState, event: UploadEvent): UploadStep {
  switch (event.type) {
    case 'chosen':
      return chosen(state, event.files)
    case 'created': {
      const { id, uploadId, jobId } = event
      return { state: changed(state, id, { uploadId, jobId }), effects: [] }
    }
    case 'sent':
      return {
        state: changed(state, event.id, { phase: { kind: 'sending', sentBytes: event.sentBytes } }),
        effects: [],
      }
    case 'stored':
      return { state: changed(state, event.id, { phase: { kind: 'completing' } }), effects: [] }
    case 'queued':
      return filled(
        changed(state, event.id, { phase: { kind: 'processing', step: null, progress: 0 } }),
        [{ type: 'poll-jobs' }],
      )
    case 'failed':
      return filled(
        changed(state, event.id, {
          phase: {
            kind: 'failed',
            sentence: event.sentence,
            retry: event.mayRetry ? 'send' : null,
          },
        }),
        [],
      )
    case 'retry':
      return retried(state, event.id)
    case 'remove':
      return removed(state, event.id)
    case 'jobs': {
      const next = withJobs(state, event.jobs)
      return { state: next, effects: next.items.some(isWatched) ? [{ type: 'poll-jobs' }] : [] }
    }
  }
}
