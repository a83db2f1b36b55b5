import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const CONFINED = fileURLToPath(new URL('confined-node.sh', import.meta.url))

/** How often the memory of the process is looked at. */
const WATCH_INTERVAL_MS = 50

/** Linux tells memory in pages; nearly everywhere one has 4 KiB, and a larger one only helps. */
const PAGE_BYTES = 4096

const KEPT_LOG_CHARS = 2000

/** A process that nobody has asked anything for so long is ended, and its memory given back. */
const IDLE_MS = 60_000

export type NodeLimits = {
  /** That each request may take at least; the process as a whole gets no more than twice as much. */
  cpuS: number
  /** Of one request. */
  wallS: number
  /** V8's heap, bytes. */
  heapBytes: number
  /** Memory that the process may hold in all, bytes; watched where there is `/proc`. */
  memoryBytes: number
  /** A process that holds more than this after a request gets no other, bytes. */
  restingBytes: number
  /** Largest file that it may write, bytes. */
  fileBytes: number
  /** Longest answer, bytes. */
  outputBytes: number
}

/** The program did not answer. The message says why, for a log. */
export class ConfinedNodeFailed extends Error {
  override name = 'ConfinedNodeFailed'
}

/** What `confined-loop.ts` prints for each request. */
const Line = z.object({
  answer: z.unknown(),
  /** All that the process has used so far. */
  cpuS: z.number(),
  residentBytes: z.number(),
})

/**
 * Runs a module of ours in a Node of its own, for work that a hostile file could blow up or stretch
 * without end: a loop that never waits can't be aborted from within. It has none of our environment.
 *
 * The module serves requests with `serveRequests`. A process that has answered one and is still small
 * is kept for the next, since starting Node and loading a module's libraries costs more than most
 * requests do; one that failed, or was killed, answers no other.
 *
 * @param module path of the TypeScript module
 */
export function makeConfinedNode(options: { module: string; limits: NodeLimits }) {
  const { limits } = options
  let resting: { child: Child; timer: NodeJS.Timeout } | null = null
  let isClosed = false

  function take(): Child {
    if (resting === null) return startChild(options.module, limits)
    const { child, timer } = resting
    clearTimeout(timer)
    resting = null
    return child.isAlive() ? child : startChild(options.module, limits)
  }

  function rest(child: Child): void {
    // One is enough: two requests at the same moment are rare.
    if (isClosed || resting !== null) {
      child.kill()
      return
    }
    resting = { child, timer: setTimeout(dismiss, IDLE_MS) }
  }

  function dismiss(): void {
    if (resting === null) return
    clearTimeout(resting.timer)
    resting.child.kill()
    resting = null
  }

  return {
    /**
     * Asks for one piece of work; both sides of it are JSON.
     *
     * @param isSuspicious whether the answer tells of input after which the process is not to be trusted
     * @throws ConfinedNodeFailed, or the signal's reason
     */
    async ask(
      request: unknown,
      signal: AbortSignal,
      isSuspicious: (answer: unknown) => boolean = () => false,
    ): Promise<unknown> {
      signal.throwIfAborted()
      const child = take()
      try {
        const { answer, cpuS, residentBytes } = await child.ask(request, signal)
        const isFit = cpuS < limits.cpuS && residentBytes < limits.restingBytes
        if (isFit && !isSuspicious(answer)) rest(child)
        else child.kill()
        return answer
      } catch (error) {
        child.kill()
        signal.throwIfAborted()
        throw error
      }
    },
    /** Ends the process that rests; one that works is ended by its signal. */
    close(): void {
      isClosed = true
      dismiss()
    },
  }
}

type Child = ReturnType<typeof startChild>

function startChild(module: string, limits: NodeLimits) {
  const heapMb = Math.ceil(limits.heapBytes / 1024 ** 2)
  const child = spawn(
    CONFINED,
    [process.execPath, `--max-old-space-size=${heapMb}`, '--no-warnings', module],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        // The kernel counts from the start, and a process rests only while it has used half of this.
        MIST_LIMIT_CPU_S: String(Math.ceil(2 * limits.cpuS)),
        MIST_LIMIT_FILE_BLOCKS: String(Math.ceil(limits.fileBytes / 512)),
      },
    },
  )
  let reason: string | null = null
  let log = ''
  let printed: Buffer[] = []
  let printedBytes = 0
  let failure: ConfinedNodeFailed | null = null
  let waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | null = null

  function fail(why: string): void {
    failure ??= new ConfinedNodeFailed(why)
    waiting?.reject(failure)
    waiting = null
  }
  function kill(why = 'it is not needed any more'): void {
    reason ??= why
    child.kill('SIGKILL')
  }

  child.on('error', (error) => fail(`it could not be started: ${error.message}`))
  child.on('close', (code, by) => fail(reason ?? `it ended with ${by ?? `code ${code}`}: ${log}`))
  // Written to after its end: `close` tells.
  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-KEPT_LOG_CHARS)
  })
  child.stdout.on('data', (chunk: Buffer) => {
    printed.push(chunk)
    printedBytes += chunk.length
    if (printedBytes > limits.outputBytes) kill(`it printed over ${limits.outputBytes} bytes`)
    else if (waiting === null) kill('it spoke unasked')
    else if (chunk.at(-1) === NEW_LINE) {
      const line = Buffer.concat(printed, printedBytes).toString('utf8')
      printed = []
      printedBytes = 0
      waiting.resolve(line)
      waiting = null
    }
  })

  const abort = () => kill('it was stopped')
  async function watchMemory(): Promise<void> {
    if ((await memoryOf(child.pid)) <= limits.memoryBytes) return
    kill(`it took over ${limits.memoryBytes} bytes of memory`)
  }

  return {
    kill,
    isAlive: () => failure === null && reason === null,
    async ask(request: unknown, signal: AbortSignal): Promise<z.infer<typeof Line>> {
      signal.addEventListener('abort', abort)
      const deadline = setTimeout(() => kill(`it took over ${limits.wallS} s`), limits.wallS * 1000)
      const watch = setInterval(() => void watchMemory(), WATCH_INTERVAL_MS)
      try {
        const line = await new Promise<string>((resolve, reject) => {
          if (failure !== null) throw failure
          waiting = { resolve, reject }
          child.stdin.write(`${JSON.stringify(request)}\n`)
        })
        return readLine(line)
      } finally {
        clearTimeout(deadline)
        clearInterval(watch)
        signal.removeEventListener('abort', abort)
      }
    },
  }
}

const NEW_LINE = 0x0a

/** @throws ConfinedNodeFailed where it is not one line of the loop's */
function readLine(text: string): z.infer<typeof Line> {
  try {
    return Line.parse(JSON.parse(text))
  } catch {
    throw new ConfinedNodeFailed(`it answered in a way that makes no sense: ${text.slice(0, 200)}`)
  }
}

/** Memory that a process holds; 0 where that is not known. */
async function memoryOf(pid: number | undefined): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')
  return Number(statm.split(' ')[1] ?? 0) * PAGE_BYTES
}
