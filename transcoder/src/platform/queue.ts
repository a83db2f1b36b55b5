import {
  isBackground,
  TRANSCODE_QUEUE,
  TranscodeJob,
  type JobId,
  type JobKind,
} from '@mist/db/contract'
import { DelayedError, Queue, UnrecoverableError, Worker, type Job } from 'bullmq'
import type { Log } from './log.ts'

/** A worker that says nothing for so long is taken for dead and its job given to another. */
const LOCK_MS = 15_000
const STALLED_CHECK_MS = 5000

/** Redis answers within this or the relay tries again later. */
const ANSWER_WITHIN_MS = 5000

/** Waits between attempts: 5 s, 10 s, 20 s, 40 s. */
const BACKOFF = { type: 'exponential', delay: 5000, jitter: 0.2 } as const

/** Of jobs that nobody waits for; a higher number waits longer. */
const BACKGROUND_PRIORITY = 10

/** Finished jobs kept for the dashboard; the truth is in Postgres. */
const KEPT = { count: 500 } as const

export type TranscodeQueue = ReturnType<typeof openQueue>

/** How BullMQ sees a job. */
export type QueueState = 'absent' | 'pending' | 'active' | 'finished'

/** Opens the sending side of the queue. */
export function openQueue(options: { redisUrl: string; attempts: number; log: Log }) {
  const { redisUrl, attempts, log } = options
  const queue = new Queue<TranscodeJob>(TRANSCODE_QUEUE, { connection: { url: redisUrl } })
  queue.on('error', throttled(log, 'the queue lost Redis'))

  async function state(jobId: JobId): Promise<QueueState> {
    const found = await within(queue.getJobState(jobId))
    if (found === 'unknown') return 'absent'
    if (found === 'active') return 'active'
    return found === 'completed' || found === 'failed' ? 'finished' : 'pending'
  }

  return {
    queue,
    state,
    /**
     * Makes sure that a job is in the queue. The job's id is BullMQ's id, so the same again changes
     * nothing; only a finished one makes room for a new run.
     */
    async ensure(job: TranscodeJob, kind: JobKind): Promise<void> {
      if ((await state(job.jobId)) === 'finished') await within(queue.remove(job.jobId))
      await within(
        queue.add('transcode', job, {
          jobId: job.jobId,
          attempts,
          // 0 comes first, and is what those get that somebody waits for.
          priority: isBackground(kind) ? BACKGROUND_PRIORITY : 0,
          backoff: BACKOFF,
          removeOnComplete: KEPT,
          removeOnFail: KEPT,
        }),
      )
    },
    /** Jobs that wait, whether for a worker or for their time. */
    async depth(): Promise<number> {
      const counts = await within(queue.getJobCounts('wait', 'delayed', 'prioritized'))
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    close: () => queue.close(),
  }
}

/** What is to become of a job after a run. */
export type Settlement =
  | { kind: 'done'; result: string }
  /** It will not be tried again. */
  | { kind: 'failed'; reason: string }
  /** Again after a while; this run does not count as an attempt. */
  | { kind: 'later'; afterMs: number; reason: string }
  /** Again after a pause, as long as attempts are left. */
  | { kind: 'again'; error: unknown }

/** Runs a job; `signal` is aborted when the transcoder stops. */
export type JobHandler = (
  job: TranscodeJob,
  run: { signal: AbortSignal; isLastAttempt: boolean },
) => Promise<Settlement>

/** Takes jobs from the queue and has them handled, `concurrency` at once. */
export function consumeQueue(options: {
  redisUrl: string
  concurrency: number
  handle: JobHandler
  log: Log
}) {
  const { redisUrl, concurrency, handle, log } = options
  const stopping = new AbortController()

  const worker = new Worker<TranscodeJob>(
    TRANSCODE_QUEUE,
    async (queued: Job<TranscodeJob>, token?: string) => {
      const job = TranscodeJob.safeParse(queued.data)
      if (!job.success) throw new UnrecoverableError('the queue held something that is not a job')
      const settlement = await handle(job.data, {
        signal: stopping.signal,
        isLastAttempt: queued.attemptsMade + 1 >= (queued.opts.attempts ?? 1),
      })
      return settle(queued, token, settlement)
    },
    {
      connection: { url: redisUrl, maxRetriesPerRequest: null },
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // Crashes are counted in Postgres, which survives Redis.
      maxStalledCount: 1_000_000,
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    },
  )
  worker.on('error', throttled(log, 'the worker lost Redis or a lock'))

  return {
    /** Takes nothing new; what runs is aborted with `reason` unless it ends within `graceMs`. */
    async close(graceMs: number, reason: Error): Promise<void> {
      const timer = setTimeout(() => stopping.abort(reason), graceMs)
      await worker.close()
      clearTimeout(timer)
    },
  }
}

async function settle(
  queued: Job<TranscodeJob>,
  token: string | undefined,
  settlement: Settlement,
): Promise<string> {
  switch (settlement.kind) {
    case 'done':
      return settlement.result
    case 'failed':
      throw new UnrecoverableError(settlement.reason)
    case 'later':
      // Delayed by hand, since BullMQ counts a thrown error as an attempt.
      await queued.moveToDelayed(Date.now() + settlement.afterMs, token)
      throw new DelayedError(settlement.reason)
    case 'again':
      throw settlement.error instanceof Error
        ? settlement.error
        : new Error(String(settlement.error))
  }
}

function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis does not answer')), ANSWER_WITHIN_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Logs the first of a row of errors; a minute of outage is one line, not thousands. */
function throttled(log: Log, message: string): (error: Error) => void {
  let saidAt = -Infinity
  return (error) => {
    if (performance.now() - saidAt < 10_000) return
    saidAt = performance.now()
    log.warn({ reason: error.message || error.name }, message)
  }
}
