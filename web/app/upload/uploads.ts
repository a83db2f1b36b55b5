import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { browserApi } from '../lib/browser-api.ts'
import { isRefusal } from '../lib/problem.ts'
import { checkFile } from './check-file.ts'
import { initialUploads, isUnderway, isWatched, stepUploads } from './machine.ts'
import type { UploadEffect, UploadEvent, UploadState } from './machine.ts'
import { makeSender } from './sender.ts'
import type { Sending } from './sender.ts'
import { xhrPut } from './xhr-put.ts'

/** The list of uploads of this page; it outlives navigation, since it belongs to no route. */
const uploadStore = createStore<UploadState>(() => initialUploads)

const files = new Map<string, File>()
const aborts = new Map<string, AbortController>()

const SOONEST_LOOK_MS = 1000
const LATEST_LOOK_MS = 10_000
/** The newest jobs come in one answer. */
const LIST_JOBS = 100

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms)
    // Back on the network, there is no reason to wait on.
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

function sentenceOf(error: unknown): string {
  if (isRefusal(error)) return error.problem.detail
  return error instanceof Error ? error.message : 'The upload was interrupted.'
}

async function send(id: string, uploadId: string | null): Promise<void> {
  const file = files.get(id)
  if (!file) return
  const abort = new AbortController()
  aborts.set(id, abort)
  const sending: Sending = {
    file,
    uploadId,
    signal: abort.signal,
    onAnnounced: (ids) => tellUploads({ type: 'announced', id, ...ids }),
    onSent: (sentBytes) => tellUploads({ type: 'sent', id, sentBytes }),
    onStored: () => tellUploads({ type: 'stored', id }),
  }
  try {
    await makeSender({ api: browserApi(), put: xhrPut, wait }).send(sending)
    files.delete(id)
    tellUploads({ type: 'queued', id })
  } catch (error) {
    if (abort.signal.aborted) return
    // A file that the API refuses to take is refused the next time too.
    const mayRetry = !isRefusal(error) || error.problem.status >= 429 || error.problem.status <= 409
    tellUploads({ type: 'failed', id, sentence: sentenceOf(error), mayRetry })
  } finally {
    aborts.delete(id)
  }
}

let looking: ReturnType<typeof setTimeout> | undefined
let pauseMs = SOONEST_LOOK_MS

function fingerprint(): string {
  return JSON.stringify(uploadStore.getState().items.map(({ id, phase }) => [id, phase]))
}

/** Asks for all jobs at once while any is being worked on; less often while nothing moves. */
async function look(): Promise<void> {
  const before = fingerprint()
  try {
    const { items } = await browserApi().jobs({ limit: LIST_JOBS })
    const listed = new Map(items.map((job) => [job.id as string, job]))
    const watched = uploadStore.getState().items.filter(isWatched)
    // The oldest of a very long list are asked for one by one.
    const unlisted = watched.flatMap(({ jobId }) => (jobId && !listed.has(jobId) ? [jobId] : []))
    const others = await Promise.all(unlisted.slice(0, 5).map((id) => browserApi().job(id)))
    const known = new Set(uploadStore.getState().items.map(({ jobId }) => jobId))
    tellUploads({ type: 'jobs', jobs: [...items, ...others].filter(({ id }) => known.has(id)) })
    const moved = fingerprint() !== before
    pauseMs = moved ? SOONEST_LOOK_MS : Math.min(pauseMs * 1.5, LATEST_LOOK_MS)
  } catch (error) {
    const seconds = isRefusal(error) ? error.problem.retryAfterS : null
    pauseMs = Math.max((seconds ?? 0) * 1000, Math.min(pauseMs * 2, LATEST_LOOK_MS))
  }
  looking = undefined
  watch()
}

function watch(): void {
  if (looking !== undefined || !uploadStore.getState().items.some(isWatched)) return
  // A page that nobody sees need not know at once.
  const slower = document.visibilityState === 'hidden' ? 5 : 1
  looking = setTimeout(() => void look(), pauseMs * slower)
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
      pauseMs = SOONEST_LOOK_MS
      browserApi()
        .retryJob(effect.jobId)
        .then(watch, (error: unknown) => {
          tellUploads({
            type: 'failed',
            id: effect.id,
            sentence: sentenceOf(error),
            mayRetry: false,
          })
        })
      break
    case 'watch':
      pauseMs = SOONEST_LOOK_MS
      watch()
      break
  }
}

function keepFromLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

/** Tells the list that something happened. */
export function tellUploads(event: UploadEvent): void {
  const { state, effects } = stepUploads(uploadStore.getState(), event)
  uploadStore.setState(state, true)
  if (state.items.some(isUnderway)) window.addEventListener('beforeunload', keepFromLeaving)
  else window.removeEventListener('beforeunload', keepFromLeaving)
  for (const effect of effects) run(effect)
}

/** Puts files into the list; they are sent as there is room. */
export function upload(chosen: readonly File[]): void {
  const checked = chosen.map((file) => {
    const id = crypto.randomUUID()
    files.set(id, file)
    return { id, name: file.name, sizeBytes: file.size, refusal: checkFile(file) }
  })
  tellUploads({ type: 'chosen', files: checked })
}

/** Selects from the list in a component. */
export function useUploads<T>(select: (state: UploadState) => T): T {
  return useStore(uploadStore, select)
}
