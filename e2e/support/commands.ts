import { spawn } from 'node:child_process'
import { root, stackDir } from './stack-dir.ts'

/** A command that serves until it is stopped. */
export type Served = { stop: () => Promise<void> }

/**
 * Runs a command that serves, in the repository unless another folder is given, and waits until
 * `address` answers. Nothing of it is left after `stop`.
 *
 * @throws Error with what it printed when it ends, or does not answer in three minutes
 */
export async function serve(
  command: readonly [program: string, ...args: string[]],
  address: string,
  { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Served> {
  const [program, ...args] = command
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, STACK_DIR: stackDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which ends as a whole: npm, what it runs, and what that runs.
    detached: true,
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-8_000)))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))

  async function stop(): Promise<void> {
    signalGroup(child.pid, 'SIGTERM')
    const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }

  for (const deadline = Date.now() + 180_000; Date.now() < deadline;) {
    if (child.exitCode !== null) break
    const answer = await fetch(address, { signal: AbortSignal.timeout(30_000) }).catch(() => null)
    if (answer !== null) return { stop }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await stop()
  throw new Error(`${command.join(' ')} does not serve ${address}:\n${printed}`)
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // Gone already.
  }
}
