import type { JobStep } from '@mist/db/contract'
import { OutOfTime } from './failures.ts'

/** Seconds that each step may take by the clock, some ten times what the largest upload needs. */
export type StepLimits = Record<JobStep, number>

/**
 * The limits of a run. Each process of ffmpeg has its own besides; these hold whatever else a step does:
 * our own parsers, a store that sends a byte now and then.
 *
 * @param ffmpegWallS what one process of ffmpeg may take: the analysis may need two, one after another
 */
export function stepLimits(ffmpegWallS: number): StepLimits {
  return {
    download: 3600,
    probe: 300,
    analyse: 2 * ffmpegWallS + 300,
    encode: ffmpegWallS + 900,
    publish: 300,
  }
}

export type StepDeadline = {
  /** Aborted with an OutOfTime when a step takes too long. */
  signal: AbortSignal
  begin(step: JobStep): void
  stop(): void
}

/** Makes the deadline of a run, which begins anew with each step. */
export function makeStepDeadline(limits: StepLimits): StepDeadline {
  const overtime = new AbortController()
  let timer: NodeJS.Timeout | undefined
  return {
    signal: overtime.signal,
    begin(step) {
      clearTimeout(timer)
      timer = setTimeout(() => {
        overtime.abort(new OutOfTime(`The step "${step}" took more than ${limits[step]} seconds.`))
      }, limits[step] * 1000)
    },
    stop: () => clearTimeout(timer),
  }
}
