import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process that cannot be mistaken for a later one which was given the same pid. */
export type ProcessIdentity = { pid: number; startedAt: string }

/**
 * Reads when a process started, in whatever unit the system keeps, or `null` when it is gone.
 *
 * The text is only ever compared with an earlier reading of the same pid: a pid alone is not
 * enough, because the system reuses pids and we must never signal a stranger's process.
 */
export function startTimeOf(pid: number): string | null {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The command name, field 2, may hold spaces and brackets: count fields after its last ')'.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const [state, startTime] = [fields[0], fields[19]]
      return state === 'Z' || startTime === undefined ? null : startTime
    } catch {
      return null
    }
  }
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return started.trim() || null
  } catch {
    return null
  }
}

/** Names a living process, or answers `null` when there is none with this pid. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = startTimeOf(pid)
  return startedAt === null ? null : { pid, startedAt }
}

/** Tells whether this very process is still running. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  return startTimeOf(pid) === startedAt
}
