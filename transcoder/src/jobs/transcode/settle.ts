import type { JobId } from '@mist/db/contract'
import {
  HandedBack,
  isDiskFull,
  isOutage,
  OutOfTime,
  PrefixTaken,
  Superseded,
  UnplayableSource,
} from './failures.ts'
import type { JobRepo } from './job-repo.ts'
import type { Outcome, Run, RunOptions } from './run.ts'

/** Waits after an outage; the last one repeats until it is over. */
const OUTAGE_WAITS_MS = [1000, 2000, 5000, 10_000, 15_000] as const

/**
 * Makes what decides about runs that did not complete.
 *
 * @param diskFullRetryMs the wait after a run that met a full disk
 */
export function makeSettlement({
  jobs,
  diskFullRetryMs,
}: {
  jobs: JobRepo
  diskFullRetryMs: number
}) {
  const outages = new Map<JobId, number>()

  return {
    settle,
    waitForOutage,
    /** Forgets the outages that a job has met: it is through. */
    completed: (jobId: JobId) => outages.delete(jobId),
  }

  /** Tells Postgres what a failed run means for its job. */
  async function settle(
    jobId: JobId,
    run: Run | null,
    error: unknown,
    { isLastAttempt }: RunOptions,
  ): Promise<Outcome> {
    if (error instanceof Superseded) return { kind: 'skipped' }
    if (run === null) {
      return isOutage(error) ? waitForOutage(jobId, error) : { kind: 'broken', error }
    }
    const { job } = run
    const step = run.progress.step()
    if (error instanceof PrefixTaken) {
      await jobs.forgetVersion(job)
      await jobs.handBack(job)
      return { kind: 'wait', afterMs: 0, reason: error.message }
    }
    if (error instanceof HandedBack) {
      await jobs.handBack(job)
      return { kind: 'wait', afterMs: 0, reason: 'the transcoder is stopping' }
    }
    if (error instanceof UnplayableSource) {
      await jobs.fail(job, step, error.code, error.message)
      return { kind: 'failed', code: error.code, detail: error.message }
    }
    // Once may be bad luck with the neighbours; twice is the file.
    if (error instanceof OutOfTime && (isLastAttempt || job.attempts >= 2)) {
      await jobs.fail(job, step, 'timed-out', error.message)
      return { kind: 'failed', code: 'timed-out', detail: error.message }
    }
    if (isDiskFull(error)) {
      const minutes = Math.ceil(diskFullRetryMs / 60_000)
      const detail =
        "The transcoder's work folder is full. Make room; the job is tried again " +
        `every ${minutes} min.`
      await jobs.fail(job, step, 'disk-full', detail)
      return { kind: 'wait', afterMs: diskFullRetryMs, reason: detail }
    }
    if (isOutage(error)) {
      await jobs.handBack(job)
      return waitForOutage(jobId, error)
    }
    if (isLastAttempt) {
      const detail = `It failed again and again; the last time: ${sentence(error)}`
      await jobs.fail(job, step, 'gave-up', detail)
      return { kind: 'failed', code: 'gave-up', detail }
    }
    await jobs.requeue(job, 'internal', `It will be tried again. ${sentence(error)}`)
    return { kind: 'broken', error }
  }

  /** Waits longer each time that a job meets an outage. */
  function waitForOutage(jobId: JobId, error: unknown): Outcome {
    const before = outages.get(jobId) ?? 0
    outages.set(jobId, before + 1)
    const afterMs = OUTAGE_WAITS_MS[Math.min(before, OUTAGE_WAITS_MS.length - 1)]!
    return { kind: 'wait', afterMs, reason: sentence(error) }
  }
}

/** The first line of an error, for people; a query's parameters or a log are further down. */
function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0]!.slice(0, 300)
}
