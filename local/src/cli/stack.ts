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
import { makePrivateFolder } from '../stack/private-files.ts'
import { livingParts } from '../stack/state.ts'
import { FLAGS, readPermissions } from './flags.ts'
import { printLogins, type CommandOptions } from './start.ts'

const USAGE = `usage: npm run stack -- up ${FLAGS} | down | status | reset`
/** The first start transcodes the demo catalogue, on whatever machine this is. */
const UP_WITHIN_MS = 30 * 60_000
const DOWN_WITHIN_MS = 90_000
const PART_WITHIN_MS = 20_000
/** Not this stack's data: made once for all stacks, and slow to make. */
const KEPT_BY_RESET = new Set(['build', 'postgres17'])

/** Runs `up`, `down`, `status` or `reset`, with no terminal attached. Answers the exit code. */
export async function stackCommand(options: CommandOptions & { args: string[] }): Promise<number> {
  const { dir, say, args } = options
  switch (args[0]) {
    case 'up':
      return up(options)
    case 'down':
      return said(say, await down(dir))
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
  makePrivateFolder(dir, join(root, '.local'))
  const logs = join(dir, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const logFile = join(logs, 'stack.log')
  let printed = existsSync(logFile) ? readFileSync(logFile).length : 0
  const printNews = () => {
    const log = readFileSync(logFile)
    process.stdout.write(log.subarray(printed))
    printed = log.length
  }

  let exitCode: number | null = null
  if (supervisorOf(dir) === null) {
    const log = openSync(logFile, 'a', 0o600)
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

/**
 * Stops the stack of a folder, also the parts that outlived a killed supervisor.
 *
 * @returns what was done, as a sentence
 */
export async function down(dir: string): Promise<string> {
  const supervisor = supervisorOf(dir)
  // The supervisor stops its parts itself, in order; only a stuck one is killed.
  if (supervisor !== null) await terminateStray(supervisor, DOWN_WITHIN_MS)
  const leftBehind = livingParts(dir).toReversed()
  for (const [, identity] of leftBehind) await terminateStray(identity, PART_WITHIN_MS)
  rmSync(join(dir, 'stack.json'), { force: true }) // a killed supervisor's
  if (leftBehind.length === 0) return supervisor === null ? 'no stack is up' : 'stopped'
  const names = leftBehind.map(([name]) => name).join(', ')
  return `stopped what a killed supervisor had left running: ${names}`
}

async function status(dir: string, say: (text: string) => void): Promise<number> {
  const info = readStackInfo(dir)
  const supervisor = supervisorOf(dir)
  if (supervisor === null) {
    const parts = livingParts(dir)
    say(
      parts.length === 0 ? 'no stack is up' : 'the supervisor was killed, and these parts live on:',
    )
    for (const [name, { pid }] of parts) say(`  ${name.padEnd(11)} pid ${pid}`)
    if (parts.length > 0) say('npm run stack -- down stops them, and so does the next start')
    return 1
  }
  if (info === null || info.pids['supervisor'] !== supervisor.pid) {
    say('the stack is starting')
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
