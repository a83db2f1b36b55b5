import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessIdentity } from './identity.ts'

/** Asks a child and what it started to end, and kills what is left after `withinMs`. */
export async function terminate(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.pid === undefined) return
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  if (!hasEnded()) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await Promise.race([ended, sleep(withinMs, undefined, { ref: false })])
  }
  killGroup(child)
  if (!hasEnded()) await new Promise((resolve) => child.once('exit', resolve))
}

/** Kills what is left of the process group that a child leads. */
export function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
}

/** Ends, like {@link terminate}, a process that is not our child: one left behind by a killed supervisor. */
export async function terminateStray(stray: ProcessIdentity, withinMs: number): Promise<void> {
  if (!isAlive(stray)) return
  signal(stray.pid, 'SIGTERM')
  for (const deadline = Date.now() + withinMs; Date.now() < deadline && isAlive(stray);)
    await sleep(50)
  // What it has started itself may outlive it: workerd for one.
  signalGroup(stray.pid, 'SIGKILL')
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  signal(-leader, name)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone already.
  }
}
