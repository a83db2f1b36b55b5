import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROCESS = fileURLToPath(new URL('./proxy-process.ts', import.meta.url))

/** Starts the database's HTTP front in a process of its own. */
export async function startProxy(upstream: string, latencyMs: number) {
  const child = fork(PROCESS, [upstream, String(latencyMs)])
  const [ready]: { url: string }[] = await once(child, 'message')
  return {
    url: ready!.url,
    /** Statements asked so far. */
    async statements(): Promise<number> {
      const answered = once(child, 'message')
      child.send('count')
      const [answer]: { statements: number }[] = await answered
      return answer!.statements
    },
    async stop(): Promise<void> {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
