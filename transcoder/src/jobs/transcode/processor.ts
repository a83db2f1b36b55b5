import type { JobId, JobStep } from '@mist/db/contract'
import type { Database } from '../../platform/database.ts'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import type { Log } from '../../platform/log.ts'
import type { ObjectStore } from '../../platform/object-store.ts'
import { withWorkspace } from '../../platform/workspace.ts'
import { Superseded, UnplayableSource } from './failures.ts'
import { makeJobRepo, type ClaimedJob } from './job-repo.ts'
import { makeProgress } from './progress.ts'
import { makeRecipe, type RecipeConfig } from './recipe.ts'
import type { Outcome, Run, RunOptions } from './run.ts'
import { makeSettlement } from './settle.ts'
import { makeStepDeadline, type StepLimits } from './step-deadline.ts'
import type { TagReader } from './tag-reader.ts'

/** A job that killed its transcoder so often is given up. */
const MAX_RUNS = 50

export type ProcessorConfig = RecipeConfig & {
  workDir: string
  /** After a run that met a full disk. */
  diskFullRetryMs: number
  stepLimits: StepLimits
}

export type Processor = ReturnType<typeof makeProcessor>

/** Makes what runs jobs: it claims them, follows the recipe, and tells Postgres what became of them. */
export function makeProcessor(options: {
  db: Database
  objects: ObjectStore
  ffmpeg: Ffmpeg
  tagReader: TagReader
  log: Log
  config: ProcessorConfig
  onStep?: (step: JobStep, seconds: number) => void
}) {
  const { db, config, onStep = () => {} } = options
  const jobs = makeJobRepo(db)
  const follow = makeRecipe(options)
  const settlement = makeSettlement({ jobs, diskFullRetryMs: config.diskFullRetryMs })

  return {
    /** Runs a job once. It never throws: what happened is in the answer and in Postgres. */
    async run(jobId: JobId, runOptions: RunOptions): Promise<Outcome> {
      let run: Run | null = null
      try {
        const claim = await jobs.claim(jobId)
        if (claim.kind === 'track-gone') {
          const detail = 'The track was deleted before it was ready.'
          await jobs.cancel(jobId, 'internal', detail)
          return { kind: 'failed', code: 'internal', detail }
        }
        if (claim.kind === 'nothing-to-do') return { kind: 'skipped' }
        run = startRun(claim.job, runOptions.signal)
        const outcome = await complete(run)
        settlement.completed(jobId)
        return outcome
      } catch (error) {
        // What can't even be told to Postgres is told when it is back: the job is still ours.
        return settlement
          .settle(jobId, run, error, runOptions)
          .catch((another: unknown) => settlement.waitForOutage(jobId, another))
      }
    },
  }

  /** Starts to report on a job that was claimed. */
  function startRun(job: ClaimedJob, stop: AbortSignal): Run {
    const lost = new AbortController()
    const deadline = makeStepDeadline(config.stepLimits)
    const progress = makeProgress({
      send: (step, share) => jobs.report(job, step, share),
      onLost: () => lost.abort(new Superseded('another run has taken the job over')),
      onStep,
    })
    const signal = AbortSignal.any([stop, lost.signal, deadline.signal])
    return { job, progress, deadline, signal }
  }

  async function complete(run: Run): Promise<Outcome> {
    try {
      if (run.job.attempts > MAX_RUNS) {
        throw new UnplayableSource('gave-up', `It was interrupted ${MAX_RUNS} times. Try again.`)
      }
      return await withWorkspace(config.workDir, (folder) => follow(run, folder))
    } catch (error) {
      // What a store or a parser makes of an abort says less than the reason for it.
      throw run.signal.aborted ? run.signal.reason : error
    } finally {
      run.deadline.stop()
      await run.progress.stop()
    }
  }
}
