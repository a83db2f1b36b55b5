import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { read } from '../lib/api.ts'
import { browserApi } from '../lib/browser-api.ts'
import { isRefusal } from '../lib/problem.ts'
import { checkFile } from './check-file.ts'
import { initialUploads, isUnderway, isWatched, stepUploads } from './machine.ts'
import type { UploadEffect, UploadEvent, UploadState } from './machine.ts'
import { makeSender } from './sender.ts'
import type { UploadRequest } from './sender.ts'
import { makeUploadCalls } from './upload-calls.ts'
import { xhrPut } from './xhr-put.ts'

/** The page's list of uploads. It belongs to no route, so it outlives navigation. */
const uploadStore = createStore<UploadState>(() => initialUploads)

const files = new Map<string, File>()
const aborts = new Map<string, AbortController>()

const MIN_POLL_MS = 1000
const MAX_POLL_MS = 10_000
/** Newest jobs per poll. */
const POLLED_JOBS = 100

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms)
    // Back online, there is no reason to wait.
    window.addEventListener('online', done, { once: true })
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
    function done(): void {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      resolve()
    }
  })
}

function messageOf(error: unknown): string {
  if (isRefusal(error)) return error.problem.detail
  return error instanceof Error ? error.message : 'The upload was interrupted.'
}

async function send(id: string, uploadId: string | null): Promise<void> {
  const file = files.get(id)
  if (!file) return
  const abort = new AbortController()
  aborts.set(id, abort)
  const request: UploadRequest = {
    file,
    uploadId,
    signal: abort.signal,
    onCreated: (ids) => dispatchUpload({ type: 'created', id, ...ids }),
    onSent: (sentBytes) => dispatchUpload({ type: 'sent', id, sentBytes }),
    onStored: () => dispatchUpload({ type: 'stored', id }),
  }
  try {
    await makeSender({ api: makeUploadCalls(browserApi()), put: xhrPut, wait }).send(request)
    files.delete(id)
    dispatchUpload({ type: 'queued', id })
  } catch (error) {
    if (abort.signal.aborted) return
    // What the API refuses for its content is refused the next time, too.
    const mayRetry = !isRefusal(error) || error.problem.status >= 429 || error.problem.status <= 409
    dispatchUpload({ type: 'failed', id, sentence: messageOf(error), mayRetry })
  } finally {
    aborts.delete(id)
  }
}

let pollTimer: ReturnType<typeof setTimeout> | undefined
let pauseMs = MIN_POLL_MS

function fingerprint(): string {
  return JSON.stringify(uploadStore.getState().items.map(({ id, phase }) => [id, phase]))
}

/** Polls all jobs at once while any is being processed; less often while nothing changes. */
async function pollJobs(): Promise<void> {
  const before = fingerprint()
  try {
    const { jobs } = browserApi()
    const { items } = await read(jobs.index.$get({ query: { limit: String(POLLED_JOBS) } }))
    const listed = new Map(items.map((job) => [job.id as string, job]))
    const watched = uploadStore.getState().items.filter(isWatched)
    // Jobs beyond the newest ones are requested one by one.
    const unlisted = watched.flatMap(({ jobId }) => (jobId && !listed.has(jobId) ? [jobId] : []))
    const others = await Promise.all(
      unlisted.slice(0, 5).map((jobId) => read(jobs[':jobId'].$get({ param: { jobId } }))),
    )
    const known = new Set(uploadStore.getState().items.map(({ jobId }) => jobId))
    dispatchUpload({ type: 'jobs', jobs: [...items, ...others].filter(({ id }) => known.has(id)) })
    const moved = fingerprint() !== before
    pauseMs = moved ? MIN_POLL_MS : Math.min(pauseMs * 1.5, MAX_POLL_MS)
  } catch (error) {
    const seconds = isRefusal(error) ? error.problem.retryAfterS : null
    pauseMs = Math.max((seconds ?? 0) * 1000, Math.min(pauseMs * 2, MAX_POLL_MS))
  }
  pollTimer = undefined
  schedulePoll()
}

function schedulePoll(): void {
  if (pollTimer !== undefined || !uploadStore.getState().items.some(isWatched)) return
  // A hidden page can poll less often.
  const slower = document.visibilityState === 'hidden' ? 5 : 1
  pollTimer = setTimeout(() => void pollJobs(), pauseMs * slower)
}

function run(effect: UploadEffect): void {
  switch (effect.type) {
    case 'send':
      void send(effect.id, effect.uploadId)
      break
    case 'abort':
      aborts.get(effect.id)?.abort()
      files.delete(effect.id)
      break
    case 'retry-job':
      pauseMs = MIN_POLL_MS
      read(browserApi().jobs[':jobId'].retry.$post({ param: { jobId: effect.jobId } })).then(
        schedulePoll,
        (error: unknown) => {
          dispatchUpload({
            type: 'failed',
            id: effect.id,
            sentence: messageOf(error),
            mayRetry: false,
          })
        },
      )
      break
    case 'poll-jobs':
      pauseMs = MIN_POLL_MS
      schedulePoll()
      break
  }
}

function confirmLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

/** Applies an event to the list. */
export function dispatchUpload(event: UploadEvent): void {
  const { state, effects } = stepUploads(uploadStore.getState(), event)
  uploadStore.setState(state, true)
  if (state.items.some(isUnderway)) window.addEventListener('beforeunload', confirmLeaving)
  else window.removeEventListener('beforeunload', confirmLeaving)
  for (const effect of effects) run(effect)
}

/** Adds files to the list; they are sent a few at a time. */
export function upload(chosen: readonly File[]): void {
  const checked = chosen.map((file) => {
    const id = crypto.randomUUID()
    files.set(id, file)
    return { id, name: file.name, sizeBytes: file.size, refusal: checkFile(file) }
  })
  dispatchUpload({ type: 'chosen', files: checked })
}

/** Selects from the list in a component. */
export function useUploads<T>(select: (state: UploadState) => T): T {
  return useStore(uploadStore, select)
}
