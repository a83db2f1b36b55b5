import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  coverKey,
  SEGMENTS_PER_PERIOD_NEW,
  versionPrefix,
  wrapMasterKey,
  type JobErrorCode,
  type JobId,
  type JobStep,
  type KeyRing,
} from '@mist/db/contract'
import type { Database } from '../../platform/database.ts'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import type { Log } from '../../platform/log.ts'
import type { ObjectStore } from '../../platform/object-store.ts'
import { withWorkspace } from '../../platform/workspace.ts'
import { analyse } from './analyse.ts'
import { refuseCutOff } from './completeness.ts'
import { describe } from './describe.ts'
import { download } from './download.ts'
import { encode } from './encode.ts'
import {
  HandedBack,
  isDiskFull,
  isOutage,
  OutOfTime,
  PrefixTaken,
  Superseded,
  UnplayableSource,
} from './failures.ts'
import { walkFrames } from './frame-walk.ts'
import { makeJobRepo, type ClaimedJob } from './job-repo.ts'
import { makePlan } from './plan.ts'
import { probe } from './probe.ts'
import type { SourceLimits } from './source.ts'
import { makeProgress } from './progress.ts'
import { publish, publishEmbedding } from './publish.ts'
import { readSourceFormat } from './source-format.ts'
import { makeStepDeadline, type StepDeadline, type StepLimits } from './step-deadline.ts'
import { makeUploads } from './store.ts'
import type { TagReader } from './tag-reader.ts'
import { readTags } from './tags.ts'

/** The original's name in the workspace: ours, so that no listener's reaches a command line. */
const ORIGINAL = 'original'

/** A job that killed its transcoder so often is given up. */
const MAX_RUNS = 50

/** Waits after an outage; the last one repeats until it is over. */
const OUTAGE_WAITS_MS = [1000, 2000, 5000, 10_000, 15_000] as const

export type ProcessorConfig = {
  workDir: string
  ladder: readonly number[]
  limits: SourceLimits & { maxBytes: number }
  keyRing: KeyRing
  /** After a run that met a full disk. */
  diskFullRetryMs: number
  stepLimits: StepLimits
}

/** A run under way. */
type Run = {
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

export type Processor = ReturnType<typeof makeProcessor>

/** Makes the recipe that turns an uploaded file into a published track. */
export function makeProcessor(options: {
  db: Database
  objects: ObjectStore
  ffmpeg: Ffmpeg
  tagReader: TagReader
  log: Log
  config: ProcessorConfig
  onStep?: (step: JobStep, seconds: number) => void
}) {
  const { db, objects, ffmpeg, tagReader, log, config, onStep = () => {} } = options
  const jobs = makeJobRepo(db)
  const outages = new Map<JobId, number>()

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
        outages.delete(jobId)
        return outcome
      } catch (error) {
        // What can't even be told to Postgres is told when it is back: the job is still ours.
        return settle(jobId, run, error, runOptions).catch((another: unknown) =>
          waitForOutage(jobId, another),
        )
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
      return await withWorkspace(config.workDir, (folder) => transcode(run, folder))
    } catch (error) {
      // What a store or a parser makes of an abort says less than the reason for it.
      throw run.signal.aborted ? run.signal.reason : error
    } finally {
      run.deadline.stop()
      await run.progress.stop()
    }
  }

  async function transcode(run: Run, folder: string): Promise<Outcome> {
    const { job, signal, progress } = run
    const { trackId, version } = job
    const { limits } = config
    const file = ORIGINAL
    const begin = (step: JobStep) => {
      progress.begin(step)
      run.deadline.begin(step)
    }

    begin('download')
    await download({ objects, job, file: join(folder, file), maxBytes: limits.maxBytes, signal })

    begin('probe')
    const format = await readSourceFormat(join(folder, file))
    const { chainS } = await refuseCutOff(join(folder, file), format, signal)
    const walk = await walkFrames(join(folder, file), format, signal)
    const probed = await probe({ ffmpeg, folder, file, format, limits, signal })
    const source = { ...probed, declaredS: chainS ?? probed.declaredS }

    begin('analyse')
    const heard = await analyse({
      ffmpeg,
      folder,
      file,
      source,
      walk,
      limits,
      signal,
      onProgress: (share) => progress.advance(share),
    })
    if (job.kind === 'reembed') {
      begin('publish')
      await publishEmbedding(db, job, heard)
      return done(heard.features.durationS, null)
    }

    if (await objects.hasAny('media', versionPrefix(trackId, version)))
      throw new PrefixTaken(`something is stored under version ${version} already`)

    begin('encode')
    // What changes its channels in the middle was brought to two before it was measured.
    const measured = heard.isSteady ? source : { ...source, channels: 2 }
    const plan = makePlan(measured, heard.loudness, config.ladder)
    const masterKey = new Uint8Array(randomBytes(16))
    const segmentsPerPeriod = SEGMENTS_PER_PERIOD_NEW
    const uploads = makeUploads(objects, signal)
    const onSkipped = (reason: string) =>
      log.info({ jobId: job.jobId, reason }, 'skipped tags or a cover')
    const { fields, covers } = await tagReader.read({ folder, file, format, signal, onSkipped })
    for (const { size, bytes } of covers ?? []) {
      await uploads.add(coverKey(trackId, version, size), bytes, 'image/webp')
    }
    const encoded = await encode({
      ffmpeg,
      folder,
      file,
      source,
      heard: { durationS: heard.features.durationS, isSteady: heard.isSteady },
      plan,
      trackId,
      version,
      masterKey,
      segmentsPerPeriod,
      uploads,
      signal,
      onProgress: (seconds) => progress.advance(seconds / heard.features.durationS),
    })
    await uploads.finish()
    const storedAt = performance.now()

    begin('publish')
    const key = await wrapMasterKey(config.keyRing, masterKey, trackId, version)
    signal.throwIfAborted()
    const tags = readTags(fields)
    await publish(db, job, {
      plan,
      heard,
      key,
      segmentsPerPeriod,
      ...encoded,
      hasCover: covers !== null,
      description: describe(job.kind, job.metadata, tags),
      tags,
    })
    return done(encoded.sampleCount / plan.sampleRate, storedAt - encoded.encodedAt)
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
      const minutes = Math.ceil(config.diskFullRetryMs / 60_000)
      const detail =
        "The transcoder's work folder is full. Make room; the job is tried again " +
        `every ${minutes} min.`
      await jobs.fail(job, step, 'disk-full', detail)
      return { kind: 'wait', afterMs: config.diskFullRetryMs, reason: detail }
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

  function waitForOutage(jobId: JobId, error: unknown): Outcome {
    const before = outages.get(jobId) ?? 0
    outages.set(jobId, before + 1)
    const afterMs = OUTAGE_WAITS_MS[Math.min(before, OUTAGE_WAITS_MS.length - 1)]!
    return { kind: 'wait', afterMs, reason: sentence(error) }
  }
}

function done(audioS: number, lastByteAfterEncoderMs: number | null): Outcome {
  return { kind: 'completed', audioS, lastByteAfterEncoderMs }
}

/** The first line of an error, for people; a query's parameters or a log are further down. */
function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0]!.slice(0, 300)
}
