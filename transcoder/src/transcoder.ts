import { setTimeout as sleep } from 'node:timers/promises'
import { refreshMeters } from '@mist/db/statements'
import type { Env } from './env.ts'
import {
  ffmpegOptions,
  objectStoreOptions,
  ownershipOptions,
  processorConfig,
  sweepOptions,
} from './options.ts'
import { makeOwnership, type Ownership } from './buckets/ownership.ts'
import { isOutage } from './jobs/transcode/failures.ts'
import { makeProcessor } from './jobs/transcode/processor.ts'
import { makeTagReader } from './jobs/transcode/tag-reader.ts'
import { startWorker } from './jobs/worker.ts'
import { makeMetrics } from './ops/metrics.ts'
import { serveOps } from './ops/server.ts'
import { openDatabase } from './platform/database.ts'
import { makeFfmpeg } from './platform/ffmpeg/index.ts'
import { makeLog, type Log } from './platform/log.ts'
import { makeObjectStore } from './platform/object-store.ts'
import { openQueue } from './platform/queue.ts'
import { removeStaleWorkspaces } from './platform/workspace.ts'
import { makeRelay } from './relay.ts'
import { makeRemakes } from './remake.ts'
import { makeSweep } from './sweep.ts'
import { PUTS_AT_ONCE } from './jobs/transcode/store.ts'

/** Between two tries to reach what is unavailable at the start. */
const UNAVAILABLE_RETRY_MS = 2000

/** Between two looks at whether the catalogue's remake has room in the queue. */
const REMAKE_INTERVAL_MS = 2000

/** Kept back from the grace period for handing jobs back and closing connections. */
const CLOSING_S = 5

/** A plan's change reaches its listeners within a minute; where nothing has changed, a look costs nothing. */
const PLANS_MS = 15_000

/** A workspace is older than any job by then. */
const STALE_WORKSPACE_MS = 24 * 3600 * 1000

/** A turn of a loop that takes so long hangs: the health check says so. */
const HANGING_MS = 10 * 60 * 1000

/**
 * Builds and starts the whole transcoder: relay, worker, sweep, metrics. What is unavailable at the start
 * is waited for.
 */
export async function runTranscoder(env: Env) {
  const log = makeLog(env.LOG_LEVEL)
  const database = openDatabase({
    url: env.DATABASE_URL,
    connections: env.TRANSCODE_CONCURRENCY + 3,
    log,
  })
  const { db } = database
  const objects = makeObjectStore(
    objectStoreOptions(env, (PUTS_AT_ONCE + 1) * env.TRANSCODE_CONCURRENCY),
  )
  const ffmpeg = makeFfmpeg(ffmpegOptions(env))
  const tagReader = makeTagReader()
  const queue = openQueue({ redisUrl: env.REDIS_URL, attempts: env.JOB_ATTEMPTS, log })
  const metrics = makeMetrics({ queueDepth: () => queue.depth() })
  const processor = makeProcessor({
    db,
    objects,
    ffmpeg,
    tagReader,
    log,
    onStep: (step, seconds) => metrics.onStep(step, seconds),
    config: processorConfig(env),
  })
  const ownership = makeOwnership({ db, objects, ...ownershipOptions(env) })
  const sweep = makeSweep({ db, objects, ownership, log, ...sweepOptions(env) })
  const remakes = makeRemakes(db)
  const relay = makeRelay({ db, queue, deleteTrack: (trackId) => sweep.deleteTrack(trackId), log })

  let loops: ReturnType<typeof startLoop>[] = []
  const ops = await serveOps({
    port: env.METRICS_PORT,
    host: env.METRICS_HOST,
    dashboardPassword: env.DASHBOARD_PASSWORD ?? null,
    metrics,
    queue: queue.queue,
    isHealthy: () => loops.every((loop) => loop.isAlive()),
  })
  await openBuckets(ownership, log)
  const worker = startWorker({
    redisUrl: env.REDIS_URL,
    concurrency: env.TRANSCODE_CONCURRENCY,
    processor,
    log,
    onOutcome: (outcome, seconds) => metrics.onOutcome(outcome, seconds),
  })

  const stopping = new AbortController()
  const every = (name: string, ms: number, work: () => Promise<unknown>) =>
    startLoop({ name, ms, work, log, signal: stopping.signal })
  loops = [
    every('relay', env.RELAY_INTERVAL_MS, () => relay.relay()),
    every('reconcile', env.RECONCILE_INTERVAL_S * 1000, () => relay.reconcile()),
    every('remake', REMAKE_INTERVAL_MS, () => remakes.feed()),
    every('plans', PLANS_MS, () => refreshMeters((statement) => db.execute(statement))),
    every('sweep', env.SWEEP_INTERVAL_S * 1000, async () => {
      await removeStaleWorkspaces(env.WORK_DIR, STALE_WORKSPACE_MS)
      await sweep.sweep()
    }),
  ]
  log.info({ metricsPort: ops.port, concurrency: env.TRANSCODE_CONCURRENCY }, 'ready')

  return {
    metricsPort: ops.port,
    /** Finishes or hands back what runs, within the grace period, and closes everything. */
    async stop(): Promise<void> {
      log.info('stopping')
      stopping.abort()
      await worker.close(Math.max(0, env.SHUTDOWN_GRACE_S - CLOSING_S) * 1000)
      await Promise.all(loops.map((loop) => loop.ended))
      await queue.close()
      await ops.close()
      await database.close()
      objects.close()
      tagReader.close()
      log.info('stopped')
    },
  }
}

/**
 * Checks whose the buckets are before anything is written to them. An unavailable store is waited for: it
 * may have an owner.
 *
 * @throws BucketsRefused where they belong to another installation
 */
async function openBuckets(ownership: Ownership, log: Log): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const reason = await ownership.open()
      if (reason !== null) log.warn({ reason }, 'nothing will be deleted from the buckets')
      return
    } catch (error) {
      if (!isOutage(error)) throw error
      if (attempt === 0) log.warn({ err: error }, 'waiting for the database and the store')
      await sleep(UNAVAILABLE_RETRY_MS)
    }
  }
}

/** Runs `work` now and then; a failure is logged and the next time comes as if nothing was. */
function startLoop(options: {
  name: string
  ms: number
  work: () => Promise<unknown>
  log: Log
  signal: AbortSignal
}) {
  const { name, ms, work, log, signal } = options
  let isDown = false
  let beganAt = performance.now()
  async function turn(): Promise<void> {
    while (!signal.aborted) {
      beganAt = performance.now()
      try {
        await work()
        if (isDown) log.info({ loop: name }, 'works again')
        isDown = false
      } catch (error) {
        // The first of a row: an outage of a minute is two lines.
        if (!isDown) log.warn({ loop: name, err: error }, 'failed; will try again')
        isDown = true
      }
      await sleep(ms, undefined, { signal }).catch(() => {})
    }
  }
  return {
    ended: turn(),
    isAlive: () => performance.now() - beganAt < ms + HANGING_MS,
  }
}
