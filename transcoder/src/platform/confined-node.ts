import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const CONFINED = fileURLToPath(new URL('confined-node.sh', import.meta.url))

/** How often the memory of the process is looked at. */
const WATCH_INTERVAL_MS = 50

/** Linux tells memory in pages; nearly everywhere one has 4 KiB, and a larger one only helps. */
const PAGE_BYTES = 4096

const KEPT_LOG_CHARS = 2000

export type NodeLimits = {
  cpuS: number
  wallS: number
  /** V8's heap, bytes. */
  heapBytes: number
  /** Memory that the process may hold in all, bytes; watched where there is `/proc`. */
  memoryBytes: number
  /** Largest file that it may write, bytes. */
  fileBytes: number
  /** Most that it may print, bytes. */
  outputBytes: number
}

/** The program did not end well. The message says how, for a log. */
export class ConfinedNodeFailed extends Error {
  override name = 'ConfinedNodeFailed'
}

/**
 * Runs a module of ours in a Node of its own, for work that a hostile file could blow up or stretch
 * without end: a loop that never waits can't be aborted from within. It has none of our environment,
 * and dies with the signal or beyond a limit.
 *
 * @param module path of the TypeScript module
 * @returns what it printed
 * @throws ConfinedNodeFailed, or the signal's reason
 */
export async function runConfinedNode(options: {
  module: string
  args: readonly string[]
  folder: string
  limits: NodeLimits
  signal: AbortSignal
}): Promise<string> {
  const { module, args, folder, limits, signal } = options
  signal.throwIfAborted()
  const heapMb = Math.ceil(limits.heapBytes / 1024 ** 2)
  const child = spawn(
    CONFINED,
    [process.execPath, `--max-old-space-size=${heapMb}`, '--no-warnings', module, ...args],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        MIST_LIMIT_CPU_S: String(Math.ceil(limits.cpuS)),
        MIST_LIMIT_FILE_BLOCKS: String(Math.ceil(limits.fileBytes / 512)),
      },
    },
  )
  let reason: string | null = null
  const kill = (why: string) => {
    reason ??= why
    child.kill('SIGKILL')
  }
  const abort = () => kill('it was stopped')
  signal.addEventListener('abort', abort)
  const deadline = setTimeout(() => kill(`it took over ${limits.wallS} s`), limits.wallS * 1000)
  const watch = setInterval(() => {
    void watchMemory()
  }, WATCH_INTERVAL_MS)
  async function watchMemory() {
    if ((await residentBytes(child.pid)) <= limits.memoryBytes) return
    kill(`it took over ${limits.memoryBytes} bytes of memory`)
  }
  const output: Buffer[] = []
  let outputBytes = 0
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length
    if (outputBytes > limits.outputBytes) kill(`it printed over ${limits.outputBytes} bytes`)
    else output.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-KEPT_LOG_CHARS)
  })
  try {
    const ended = await new Promise<{ code: number | null; by: string | null }>(
      (resolve, reject) => {
        child.on('error', reject)
        child.on('close', (code, by) => resolve({ code, by }))
      },
    )
    signal.throwIfAborted()
    if (reason !== null) throw new ConfinedNodeFailed(reason)
    if (ended.code !== 0) {
      throw new ConfinedNodeFailed(`it ended with ${ended.by ?? `code ${ended.code}`}: ${log}`)
    }
    return Buffer.concat(output).toString('utf8')
  } finally {
    clearTimeout(deadline)
    clearInterval(watch)
    signal.removeEventListener('abort', abort)
  }
}

/** Memory that a process holds; 0 where that can't be told. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')
  return Number(statm.split(' ')[1] ?? 0) * PAGE_BYTES
}
