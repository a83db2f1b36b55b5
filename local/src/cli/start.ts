import { FFMPEG, FFPROBE, provideSystemPackages, REDIS } from '../setup/system-packages.ts'
import { readStackInfo, type StackInfo } from '../stack/info.ts'
import { AlreadyUp, startStack, type Stack } from '../stack/stack.ts'

/** What the commands get. */
export type CommandOptions = { root: string; dir: string; say: (text: string) => void }

/** Runs the stack in the foreground until Ctrl-C or SIGTERM. Answers the exit code. */
export async function start({ root, dir, say }: CommandOptions): Promise<number> {
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
    }
    stack = await startStack({
      root,
      dir,
      env: process.env,
      say,
      onUsable,
      signal: stopping.signal,
    })
  } catch (error) {
    if (error instanceof AlreadyUp) {
      const info = readStackInfo(dir)
      say('the stack is up already')
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

/** Prints where to go and who to be. */
export function printLogins(
  { webUrl, admin, listener }: StackInfo,
  say: (text: string) => void,
): void {
  say('')
  say(`  open      ${webUrl}`)
  say(`  admin     ${admin.email}   password ${admin.password}`)
  say(`  listener  ${listener.email}   password ${listener.password}`)
  say('')
}
