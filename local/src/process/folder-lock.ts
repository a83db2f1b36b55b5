import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { identify, isAlive, type ProcessIdentity } from './identity.ts'

/** Thrown when another living process holds the lock. */
export class LockedError extends Error {
  readonly holder: ProcessIdentity

  constructor(file: string, holder: ProcessIdentity) {
    super(`${file} is held by process ${holder.pid}`)
    this.name = 'LockedError'
    this.holder = holder
  }
}

/** Reads which process holds a lock file; `null` when none that is alive does. */
export function lockHolder(file: string): ProcessIdentity | null {
  const holder = readHolder(file)
  return holder !== null && isAlive(holder) ? holder : null
}

/**
 * Takes a lock for this process, which survives nothing but this process: a lock left by a killed
 * process counts as free.
 *
 * @returns a function that gives the lock back
 * @throws LockedError when a living process holds it
 */
export function takeLock(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true })
  const self = identify(process.pid)
  if (self === null) throw new Error('cannot read the start time of this process')
  const mine = `${file}.${process.pid}`
  try {
    writeFileSync(mine, JSON.stringify(self), { mode: 0o600 })
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        // link(2) either creates the name or fails: two processes can't both succeed.
        linkSync(mine, file)
        return () => {
          if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true })
        }
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
      const holder = lockHolder(file)
      if (holder !== null) throw new LockedError(file, holder)
      moveAside(file)
    }
    throw new Error(`cannot take the lock ${file}`)
  } finally {
    rmSync(mine, { force: true })
  }
}

/** Removes a dead holder's lock by rename, so that of two processes only one removes it. */
function moveAside(file: string): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
    rmSync(aside, { force: true })
  } catch {
    // Another process moved it first: the next attempt decides.
  }
}

function readHolder(file: string): ProcessIdentity | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof holder !== 'object' || holder === null) return null
    if (!('pid' in holder) || !('startedAt' in holder)) return null
    const { pid, startedAt } = holder
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : null
  } catch {
    return null
  }
}
