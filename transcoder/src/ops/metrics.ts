import type { JobStep } from '@mist/db/contract'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Outcome } from '../jobs/transcode/run.ts'

export type Metrics = ReturnType<typeof makeMetrics>

/** What Prometheus reads. */
export function makeMetrics({ queueDepth }: { queueDepth: () => Promise<number> }) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'mist_transcoder_' })
  const runs = new Counter({
    name: 'mist_jobs_total',
    help: 'Runs of jobs by outcome; code says why a job failed.',
    labelNames: ['outcome', 'code'] as const,
    registers,
  })
  const steps = new Histogram({
    name: 'mist_job_step_seconds',
    help: 'Seconds per step of a run.',
    labelNames: ['step'] as const,
    buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000],
    registers,
  })
  const realTime = new Histogram({
    name: 'mist_job_real_time_factor',
    help: 'Seconds of audio per second of a completed run.',
    buckets: [0.5, 1, 2, 5, 10, 20, 50, 100],
    registers,
  })
  const audio = new Counter({
    name: 'mist_audio_seconds_total',
    help: 'Seconds of audio published.',
    registers,
  })
  registers[0]!.registerMetric(
    new Gauge({
      name: 'mist_queue_depth',
      help: 'Jobs that wait in the queue; NaN while Redis is unavailable.',
      registers: [],
      async collect() {
        this.set(await queueDepth().catch(() => Number.NaN))
      },
    }),
  )

  return {
    onStep(step: JobStep, seconds: number): void {
      steps.observe({ step }, seconds)
    },
    onOutcome(outcome: Outcome, seconds: number): void {
      runs.inc({ outcome: outcome.kind, code: outcome.kind === 'failed' ? outcome.code : '' })
      if (outcome.kind !== 'completed') return
      realTime.observe(outcome.audioS / seconds)
      audio.inc(outcome.audioS)
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}
