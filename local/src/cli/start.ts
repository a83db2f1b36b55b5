import { FFMPEG, FFPROBE, provideSystemPackages, REDIS } from '../setup/system-packages.ts'
import { readPermissions } from './flags.ts'
import { placeDevVars } from '../stack/dev-vars.ts'
import { readStackInfo, type StackInfo } from '../stack/info.ts'
import { AlreadyUp, startStack, type Stack } from '../stack/stack.ts'

/** What the commands get. */
export type CommandOptions = { root: string; dir: string; say: (text: string) => void }

/**
 * Runs the stack in the foreground until Ctrl-C or SIGTERM. Answers the exit code.
 *
 * @param options.args what may be done to a database, a bucket or a queue that is not the stack's own
 */
export async function start(options: CommandOptions & { args: string[] }): Promise<number> {
  const { root, dir, say, args } = options
  const permissions = readPermissions(args)
  const { FFMPEG_PATH, FFPROBE_PATH, REDIS_URL } = process.env
  const needs = [
    ...(FFMPEG_PATH ? [] : [FFMPEG]),
    ...(FFPROBE_PATH ? [] : [FFPROBE]),
    ...(REDIS_URL ? [] : [REDIS]),
  ]
  provideSystemPackages(needs, say)

  const startedAt = performance.now()
  const stopping = new AbortController()
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => stopping.abort())

  let stack: Stack
  try {
    const onUsable = (info: StackInfo) => {
      say(`up after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
      printLogins(info, say)
      if (!placeDevVars({ root, dir })) say('.dev.vars is your own, so it is left as it is')
    }
    stack = await startStack({
      root,
      dir,
      env: process.env,
      permissions,
      say,
      onUsable,
      signal: stopping.signal,
    })
  } catch (error) {
    if (error instanceof AlreadyUp) {
      const info = readStackInfo(dir)
      say(
        `the stack is up already${args.length > 0 ? `: stop it first for ${args.join(' ')}` : ''}`,
      )
      if (info !== null) printLogins(info, say)
      return 0
    }
    if (stopping.signal.aborted) {
      say('stopped')
      return 0
    }
    throw error
  }
  say(`ready: ${stack.info.webUrl}${process.stdout.isTTY ? '   (Ctrl-C stops everything)' : ''}`)

  await stopped
  say('stopping')
  await stack.stop()
  say('stopped')
  return 0
}

/** Prints the addresses, and the accounts to sign in with. */
export function printLogins(
  { webUrl, admin, listener }: StackInfo,
  say: (text: string) => void,
): void {
  say('')
  say(`  open      ${webUrl}`)
  if (admin !== null) say(`  admin     ${admin.email}   password ${admin.password}`)
  if (listener !== null) say(`  listener  ${listener.email}   password ${listener.password}`)
  say('')
}
