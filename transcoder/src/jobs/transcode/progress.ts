import { JOB_STEPS, type JobStep } from '@mist/db/contract'

/** Share of a whole job that each step takes, from measurements; they add up to 1. */
const SHARES: Record<JobStep, number> = {
  download: 0.05,
  probe: 0.02,
  analyse: 0.23,
  encode: 0.65,
  publish: 0.05,
}

/** At most two reports a second: each is a statement. */
const AT_MOST_EVERY_MS = 500

/** A sign of life when nothing else is to be said, so that the job is not taken for dead. */
const AT_LEAST_EVERY_MS = 5000

/** Progress over the whole job, 0…1, of `share` done in `step`. */
export function overallProgress(step: JobStep, share: number): number {
  const before = JOB_STEPS.slice(0, JOB_STEPS.indexOf(step)).reduce(
    (sum, each) => sum + SHARES[each],
    0,
  )
  return before + SHARES[step] * Math.max(0, Math.min(1, share))
}

/**
 * Makes a reporter of one run. Reports are sent on the side: a database that is away for a moment
 * does not hold up the work.
 *
 * @param send answers false when the run no longer holds the job
 * @param onLost called once when that happens
 * @param onStep called with the seconds that a step took
 */
export function makeProgress(options: {
  send: (step: JobStep, progress: number) => Promise<boolean>
  onLost: () => void
  onStep: (step: JobStep, seconds: number) => void
}) {
  const { send, onLost, onStep } = options
  let step: JobStep = 'download'
  let share = 0
  let stepStartedAt = performance.now()
  let sentAt = -Infinity
  let isNew = true
  let flight: Promise<void> | null = null

  function flush(): void {
    const age = performance.now() - sentAt
    if (flight !== null || age < AT_MOST_EVERY_MS || (!isNew && age < AT_LEAST_EVERY_MS)) return
    sentAt = performance.now()
    isNew = false
    flight = tell().finally(() => {
      flight = null
    })
  }

  async function tell(): Promise<void> {
    try {
      if (!(await send(step, overallProgress(step, share)))) onLost()
    } catch {
      // An outage: the next report will tell, and the work itself will notice.
    }
  }

  const timer = setInterval(flush, AT_MOST_EVERY_MS / 2)

  function closeStep(): void {
    onStep(step, (performance.now() - stepStartedAt) / 1000)
    stepStartedAt = performance.now()
  }

  return {
    /** Enters a step. */
    begin(next: JobStep): void {
      if (next !== step) closeStep()
      step = next
      share = 0
      isNew = true
      flush()
    },
    /** Says how much of the step is done, 0…1. */
    advance(now: number): void {
      if (now <= share) return
      share = now
      isNew = true
    },
    /** The step that the run is in, or ended in. */
    step: () => step,
    /** Ends all reporting; nothing is sent after it answers. */
    async stop(): Promise<void> {
      clearInterval(timer)
      closeStep()
      await flight
    },
  }
}
