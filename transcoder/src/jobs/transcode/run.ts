import type { JobErrorCode } from '@mist/db/contract'
import type { ClaimedJob } from './job-repo.ts'
import type { makeProgress } from './progress.ts'
import type { StepDeadline } from './step-deadline.ts'

/** A run under way. */
export type Run = {
  job: ClaimedJob
  progress: ReturnType<typeof makeProgress>
  deadline: StepDeadline
  /** Aborted when the transcoder stops, another run has taken over, or a step takes too long. */
  signal: AbortSignal
}

/** What became of a run. */
export type Outcome =
  | { kind: 'completed'; audioS: number; lastByteAfterEncoderMs: number | null }
  /** There was nothing to do, or another run has taken over. */
  | { kind: 'skipped' }
  /** The job has failed and will not be tried again. */
  | { kind: 'failed'; code: JobErrorCode; detail: string }
  /** Not the job's fault, or it may pass: try again after a while, without counting it. */
  | { kind: 'wait'; afterMs: number; reason: string }
  /** It broke; worth another attempt. */
  | { kind: 'broken'; error: unknown }

export type RunOptions = {
  signal: AbortSignal
  /** A break ends the job. */
  isLastAttempt: boolean
}
