import type { Log } from '../platform/log.ts'
import { consumeQueue, type Settlement } from '../platform/queue.ts'
import { HandedBack } from './transcode/failures.ts'
import type { Processor } from './transcode/processor.ts'
import type { Outcome } from './transcode/run.ts'

/** Runs jobs from the queue, `concurrency` at once. */
export function startWorker(options: {
  redisUrl: string
  concurrency: number
  processor: Processor
  log: Log
  onOutcome: (outcome: Outcome, seconds: number) => void
}) {
  const { redisUrl, concurrency, processor, log, onOutcome } = options
  const consumer = consumeQueue({
    redisUrl,
    concurrency,
    log,
    async handle({ jobId }, run) {
      const startedAt = performance.now()
      const outcome = await processor.run(jobId, run)
      const seconds = (performance.now() - startedAt) / 1000
      const fields = outcome.kind === 'broken' ? { err: outcome.error } : outcome
      log.info({ jobId, seconds, ...fields }, `job ${outcome.kind}`)
      onOutcome(outcome, seconds)
      return settlementOf(outcome)
    },
  })
  return {
    /** Finishes what runs if it ends within `graceMs`, else hands it back; takes nothing new. */
    close: (graceMs: number): Promise<void> =>
      consumer.close(graceMs, new HandedBack('the transcoder is stopping')),
  }
}

function settlementOf(outcome: Outcome): Settlement {
  switch (outcome.kind) {
    case 'completed':
    case 'skipped':
      return { kind: 'done', result: outcome.kind }
    case 'failed':
      return { kind: 'failed', reason: `${outcome.code}: ${outcome.detail}` }
    case 'wait':
      return { kind: 'later', afterMs: outcome.afterMs, reason: outcome.reason }
    case 'broken':
      return { kind: 'again', error: outcome.error }
  }
}
