import { join } from 'node:path'
import { startPart, type Part, type PartOptions } from '../process/part.ts'
import { baseEnv } from './environment.ts'

export type Launcher = ReturnType<typeof makeLauncher>

/** Starts the parts of one stack, one after the other, and stops them in the reverse order. */
export function makeLauncher(options: {
  root: string
  dir: string
  env: NodeJS.ProcessEnv
  say: (text: string) => void
  signal: AbortSignal
  onStarted: NonNullable<PartOptions['onStarted']>
}) {
  const { root, dir, env, say, signal, onStarted } = options
  const parts: Part[] = []

  async function start(
    name: string,
    part: Pick<PartOptions, 'command' | 'args' | 'isReady'> & Partial<PartOptions>,
  ): Promise<void> {
    signal.throwIfAborted()
    const started = await startPart({
      name,
      cwd: root,
      logFile: join(dir, 'logs', `${name}.log`),
      say,
      onStarted,
      ...part,
      env: { ...baseEnv(env), ...part.env },
    })
    parts.push(started)
  }

  return {
    start,
    /** Starts one of `local/src/entry`. */
    startOurs(
      name: string,
      args: readonly string[],
      own: NodeJS.ProcessEnv,
      isReady: () => Promise<boolean>,
    ): Promise<void> {
      const entry = join(root, 'local/src/entry', `${name}.ts`)
      return start(name, { command: process.execPath, args: [entry, ...args], env: own, isReady })
    },
    /** Stops all; none loses what it still needs. */
    async stop(): Promise<void> {
      for (const part of parts.toReversed()) await part.stop()
    },
  }
}
