import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockHolder } from '../process/folder-lock.ts'
import { startTimeOf, type ProcessIdentity } from '../process/identity.ts'
import { terminateStray } from '../process/terminate.ts'
import { readStackInfo } from '../stack/info.ts'
import { FLAGS, readPermissions } from './flags.ts'
import { printLogins, type CommandOptions } from './start.ts'

const USAGE = `usage: npm run stack -- up ${FLAGS} | down | status | reset`
/** The first start transcodes the demo catalogue, on whatever machine this is. */
const UP_WITHIN_MS = 30 * 60_000
const DOWN_WITHIN_MS = 90_000
/** Not this stack's data: made once for all stacks, and slow to make. */
const KEPT_BY_RESET = new Set(['build', 'postgres17'])

/** Runs `up`, `down`, `status` or `reset`, with no terminal attached. Answers the exit code. */
export async function stackCommand(options: CommandOptions & { args: string[] }): Promise<number> {
  const { dir, say, args } = options
  switch (args[0]) {
    case 'up':
      return up(options)
    case 'down':
      return (await down(dir)) ? said(say, 'stopped') : said(say, 'no stack is up')
    case 'status':
      return status(dir, say)
    case 'reset':
      await down(dir)
      for (const name of existsSync(dir) ? readdirSync(dir) : [])
        if (!KEPT_BY_RESET.has(name) && !isAnotherStack(join(dir, name)))
          rmSync(join(dir, name), { recursive: true, force: true })
      return said(say, `removed the stack's data in ${dir}`)
    default:
      say(USAGE)
      return 2
  }
}

function said(say: (text: string) => void, text: string): number {
  say(text)
  return 0
}

async function up(options: CommandOptions & { args: string[] }): Promise<number> {
  const { root, dir, say } = options
  const flags = options.args.slice(1)
  readPermissions(flags) // refused here, before a supervisor is started for nothing
  if (isReady(dir)) {
    say(
      `the stack is up already${flags.length > 0 ? `: stop it first for ${flags.join(' ')}` : ''}`,
    )
    return status(dir, say)
  }
  const logs = join(dir, 'logs')
  mkdirSync(logs, { recursive: true })
  const logFile = join(logs, 'stack.log')
  let printed = existsSync(logFile) ? readFileSync(logFile).length : 0
  const printNews = () => {
    const log = readFileSync(logFile)
    process.stdout.write(log.subarray(printed))
    printed = log.length
  }

  let exitCode: number | null = null
  if (supervisorOf(dir) === null) {
    const log = openSync(logFile, 'a')
    const supervisor = spawn(
      process.execPath,
      [join(root, 'local/src/cli/main.ts'), 'start', ...flags],
      { cwd: root, detached: true, stdio: ['ignore', log, log] },
    )
    closeSync(log)
    supervisor.once('exit', (code) => (exitCode = code ?? 1))
    supervisor.unref()
  }
  for (const deadline = Date.now() + UP_WITHIN_MS; Date.now() < deadline; await sleep(200)) {
    printNews()
    if (exitCode !== null) {
      say(`the stack did not come up; see ${logFile}`)
      return 1
    }
    if (isReady(dir)) return 0
  }
  say('the stack did not become ready in time')
  return 1
}

/** Stops the stack of a folder. Answers whether there was one. */
export async function down(dir: string): Promise<boolean> {
  const supervisor = supervisorOf(dir)
  if (supervisor === null) return false
  // The supervisor stops its parts itself, in order; only a stuck one is killed.
  await terminateStray(supervisor, DOWN_WITHIN_MS)
  return true
}

async function status(dir: string, say: (text: string) => void): Promise<number> {
  const info = readStackInfo(dir)
  if (supervisorOf(dir) === null || info === null) {
    say(supervisorOf(dir) === null ? 'no stack is up' : 'the stack is starting')
    return 1
  }
  say(info.ready ? 'the stack is up' : 'the stack is up; the demo catalogue is being imported')
  for (const [name, pid] of Object.entries(info.pids))
    say(`  ${name.padEnd(11)} ${startTimeOf(pid) === null ? 'not running' : `pid ${pid}`}`)
  printLogins(info, say)
  return 0
}

/** Whether the stack that runs now is ready; a killed one may have left its description. */
function isReady(dir: string): boolean {
  const info = readStackInfo(dir)
  return info?.ready === true && info.pids['supervisor'] === supervisorOf(dir)?.pid
}

function supervisorOf(dir: string): ProcessIdentity | null {
  return lockHolder(join(dir, 'stack.lock'))
}

function isAnotherStack(path: string): boolean {
  return existsSync(join(path, 'state.json'))
}
