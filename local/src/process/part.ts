import { spawn, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify, type ProcessIdentity } from './identity.ts'
import { killGroup, terminate } from './terminate.ts'

/** A process of the stack. */
export type PartOptions = {
  name: string
  command: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  cwd: string
  logFile: string
  /** Asked repeatedly until it says that the part can be used. */
  isReady: () => Promise<boolean>
  /** How long the first start may take, in milliseconds. */
  readyWithinMs?: number
  /** How long it may take to end by itself before it is killed, in milliseconds. */
  stopWithinMs?: number
  /** Hears of each process that is started in this part's name. */
  onStarted: (name: string, identity: ProcessIdentity) => void
  say: (text: string) => void
}

/** A part that runs and is kept running. */
export type Part = { name: string; pid: () => number; stop: () => Promise<void> }

const FIRST_BACKOFF_MS = 500
const LAST_BACKOFF_MS = 15_000
/** After this long without a crash the next one counts as the first. */
const FORGIVEN_AFTER_MS = 60_000
const LOG_KEPT_BYTES = 10 * 1024 * 1024

/**
 * Starts a process, waits until it can be used, and starts it again whenever it ends by itself.
 *
 * @throws Error with the end of its log when it ends, or stays silent, before it was ever ready
 */
export async function startPart(options: PartOptions): Promise<Part> {
  const { name, isReady, readyWithinMs = 60_000, stopWithinMs = 10_000, say } = options
  let isStopping = false
  let backoffMs = FIRST_BACKOFF_MS
  let child = launch(options)
  let restart: NodeJS.Timeout | undefined
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null

  const deadline = Date.now() + readyWithinMs
  while (!(await isReady().catch(() => false))) {
    if (hasEnded() || Date.now() > deadline) {
      const why = hasEnded() ? 'ended' : `did not answer within ${readyWithinMs / 1000} s`
      await terminate(child, stopWithinMs)
      throw new Error(`${name} ${why}; the end of ${options.logFile}:\n${tail(options.logFile)}`)
    }
    await sleep(50)
  }

  function watch(): void {
    const startedAt = Date.now()
    child.once('exit', (code, signal) => {
      if (isStopping) return
      // What a killed process leaves behind, workerd for one, still holds its ports.
      killGroup(child)
      if (Date.now() - startedAt > FORGIVEN_AFTER_MS) backoffMs = FIRST_BACKOFF_MS
      say(`${name} ended (${signal ?? code}); starting it again in ${backoffMs / 1000} s`)
      restart = setTimeout(() => {
        child = launch(options)
        watch()
      }, backoffMs)
      backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS)
    })
  }
  if (hasEnded()) throw new Error(`${name} ended; see ${options.logFile}`)
  watch()

  return {
    name,
    pid: () => child.pid ?? 0,
    async stop(): Promise<void> {
      isStopping = true
      clearTimeout(restart)
      await terminate(child, stopWithinMs)
    },
  }
}

function launch(options: PartOptions): ChildProcess {
  const { name, command, args, env, cwd, onStarted } = options
  const log = openLog(options)
  // A process group of its own: Ctrl-C in the terminal reaches the supervisor only, which then
  // stops everything in order, and a part is stopped together with what it has started itself.
  const output = log ?? 'ignore'
  const child = spawn(command, args, { cwd, env, stdio: ['pipe', output, output], detached: true })
  if (log !== null) closeSync(log)
  child.once('error', () => {}) // a command that can't be run: 'exit' does not come, exitCode does
  const identity = child.pid === undefined ? null : identify(child.pid)
  if (identity !== null) onStarted(name, identity)
  return child
}

/** Opens a part's log; `null` where the disk is full: a part without a log is better than none. */
function openLog({ name, logFile, say }: PartOptions): number | null {
  try {
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
    if (existsSync(logFile) && statSync(logFile).size > LOG_KEPT_BYTES)
      renameSync(logFile, `${logFile}.1`)
    return openSync(logFile, 'a', 0o600)
  } catch (error) {
    say(`${name} runs without a log: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

function tail(file: string): string {
  return existsSync(file)
    ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
    : ''
}
