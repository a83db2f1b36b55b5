import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { PassThrough, type Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fluent from 'fluent-ffmpeg'
import { OutOfTime } from '../out-of-time.ts'

const LIMITED = fileURLToPath(new URL('limited.sh', import.meta.url))

/** ffprobe prints a few kilobytes; tags, where it is asked for them, can be megabytes. */
const MAX_PROBE_BYTES = 4 * 1024 ** 2

/**
 * Seconds that ffprobe may take. It reads the start and the end of a file, which is done in a tenth of one:
 * what takes longer was made to.
 */
const PROBE_CPU_S = 15
const PROBE_WALL_S = 120

/** Lines of ffmpeg's log that are kept for the summary of a filter or the reason of a failure. */
const KEPT_LOG_LINES = 200

/** A killed process is gone by then. */
const KILLED_WITHIN_MS = 2000

export type FfmpegLimits = {
  /** CPU seconds of one process. */
  cpuS: number
  /** Wall-clock seconds of one process. */
  wallS: number
  /** Address space of one process, bytes. */
  memoryBytes: number
  /** Largest file that one process may write, bytes. */
  fileBytes: number
}

export type FfmpegRun = {
  /** Folder in which it runs. */
  folder: string
  /** Name of the input inside the folder; ours, never the listener's. */
  input: string
  inputOptions: readonly string[]
  outputOptions: readonly string[]
  /**
   * A first ffmpeg decodes the input, with these options for its output; what it writes is the input of
   * the second, with these options for it.
   */
  decodedBy?: { outputOptions: readonly string[]; inputOptions: readonly string[] }
  signal: AbortSignal
}

/** What the machine lacked, not the file. Codes 126 and 127 are a shell that can't start the program. */
const MACHINE_TROUBLE =
  /cannot allocate memory|out of memory|resource temporarily unavailable|too many open files|input\/output error|no space left|exited with code 12[67]\b|ended with code 12[67]\b|cannot find ffmpeg/i

/** ffmpeg did not end well. */
export class FfmpegFailed extends Error {
  override name = 'FfmpegFailed'
  /** The last lines of its log. */
  readonly log: string
  /** Whether it is the machine's fault: the same file may go well another time. */
  readonly isMachineTrouble: boolean

  constructor(message: string, log: string) {
    super(message)
    this.log = log
    this.isMachineTrouble = MACHINE_TROUBLE.test(`${message}\n${log}`)
  }
}

export type Ffmpeg = ReturnType<typeof makeFfmpeg>

/**
 * The one door to ffmpeg and ffprobe. Inputs are local files only; every process runs within
 * `limits`, without our environment, and dies with the signal.
 */
export function makeFfmpeg(options: {
  ffmpegPath: string
  ffprobePath: string
  limits: FfmpegLimits
}) {
  const { ffmpegPath, ffprobePath, limits } = options
  const environment = {
    MIST_LIMITED_PROGRAM: ffmpegPath,
    MIST_LIMIT_CPU_S: String(Math.ceil(limits.cpuS)),
    MIST_LIMIT_MEMORY_KB: String(Math.ceil(limits.memoryBytes / 1024)),
    MIST_LIMIT_FILE_BLOCKS: String(Math.ceil(limits.fileBytes / 512)),
  }
  // fluent-ffmpeg takes no environment for its processes: they inherit ours.
  Object.assign(process.env, environment)

  /** Starts one of the two programs by itself. */
  function start(
    program: string,
    args: readonly string[],
    { folder, cpuS, signal }: { folder: string; cpuS: number; signal: AbortSignal },
  ) {
    return spawn(LIMITED, ['-hide_banner', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
      env: {
        ...process.env,
        ...environment,
        MIST_LIMITED_PROGRAM: program,
        MIST_LIMIT_CPU_S: String(Math.ceil(cpuS)),
      },
    })
  }

  /** Starts the ffmpeg that decodes for another. */
  function startDecoder(run: FfmpegRun, outputOptions: readonly string[], signal: AbortSignal) {
    const decoder = start(
      ffmpegPath,
      [
        '-nostdin',
        '-nostats',
        ...run.inputOptions,
        '-i',
        `file:${run.input}`,
        ...outputOptions,
        'pipe:1',
      ],
      { folder: run.folder, cpuS: limits.cpuS, signal },
    )
    let log = ''
    decoder.stderr.setEncoding('latin1').on('data', (text: string) => {
      log = (log + text).slice(-10_000)
    })
    const ended = new Promise<void>((resolve, reject) => {
      decoder.on('error', reject)
      decoder.on('close', (code, killedBy) => {
        if (code === 0) resolve()
        else reject(explain(`ffmpeg ended with ${killedBy ?? `code ${code}`}`, log, limits))
      })
    })
    ended.catch(() => {})
    return { output: decoder.stdout, ended, stop: () => decoder.kill('SIGKILL') }
  }

  let decoders: Promise<string> | null = null

  /** Names of all decoders that this ffprobe has, comma-separated; asked for once. */
  function allDecoders(): Promise<string> {
    decoders ??= (async () => {
      const signal = AbortSignal.timeout(PROBE_WALL_S * 1000)
      const child = start(ffprobePath, ['-v', 'error', '-decoders'], {
        folder: '/',
        cpuS: PROBE_CPU_S,
        signal,
      })
      const { text, code } = await outputOf(child)
      if (code !== 0) throw new Error('ffprobe did not list its decoders')
      return [...text.matchAll(/^ [VAS]\S{5} (\w\S*)/gm)].map((match) => match[1]).join(',')
    })()
    decoders.catch(() => {
      decoders = null
    })
    return decoders
  }

  return {
    /**
     * Runs ffmpeg and hands over what it writes to its standard output, with back-pressure.
     *
     * @returns its log
     * @throws FfmpegFailed, or what `onBytes` throws
     */
    async stream(
      run: FfmpegRun,
      onBytes: (chunk: Buffer) => Promise<void> | void,
    ): Promise<string> {
      const deadline = AbortSignal.timeout(limits.wallS * 1000)
      const signal = AbortSignal.any([run.signal, deadline])
      signal.throwIfAborted()
      // Without the close event, since fluent-ffmpeg kills a process that has not quite ended 20 ms
      // after its output has, which on a busy machine fails runs that went well.
      const output = new PassThrough({ emitClose: false })
      const log: string[] = []
      const decoder = run.decodedBy && startDecoder(run, run.decodedBy.outputOptions, signal)
      const inputOptions = run.decodedBy?.inputOptions ?? run.inputOptions
      const command = fluent({ cwd: run.folder, stdoutLines: KEPT_LOG_LINES })
        .setFfmpegPath(LIMITED)
        .input(decoder?.output ?? `file:${run.input}`)
        .inputOptions('-hide_banner', '-nostdin', '-nostats', ...inputOptions)
        .output(output)
        .outputOptions('-map_metadata', '-1', ...run.outputOptions)
        .on('stderr', (line: string) => {
          log.push(line)
          if (log.length > KEPT_LOG_LINES) log.shift()
        })
      const ended = new Promise<void>((resolve, reject) => {
        command.on('end', () => resolve())
        command.on('error', (error: Error) => {
          const failure = explain(error.message, log.join('\n'), limits)
          reject(failure)
          output.destroy(failure)
        })
      })
      // Whoever fails first is the one that counts; the other must not become an unhandled rejection.
      ended.catch(() => {})
      const kill = () => command.kill('SIGKILL')
      command.on('start', () => {
        if (signal.aborted) kill()
      })
      signal.addEventListener('abort', kill)
      try {
        command.run()
        await consume(output, onBytes).catch(async (error: unknown) => {
          kill()
          await Promise.race([ended.catch(() => {}), sleep(KILLED_WITHIN_MS)])
          throw error
        })
        await ended
        await decoder?.ended
        return log.join('\n')
      } catch (error) {
        if (run.signal.aborted) throw run.signal.reason
        if (deadline.aborted) {
          throw new OutOfTime(`It took more than ${limits.wallS} seconds.`)
        }
        throw error
      } finally {
        signal.removeEventListener('abort', kill)
        decoder?.stop()
      }
    },

    /**
     * Asks ffprobe about a file.
     *
     * @param entries what is asked for, as `-show_entries` takes it
     * @returns its JSON, as Latin-1 text in which every character is one byte: tags may be in any
     *   encoding, and only the reader can tell which
     * @throws FfmpegFailed when it can't read the file
     * @throws OutputTooLong when it says more than is worth reading
     * @throws OutOfTime when it takes too long
     */
    async probe(
      { folder, input, inputOptions, signal: stop }: Omit<FfmpegRun, 'outputOptions' | 'decodedBy'>,
      entries: string,
    ): Promise<{ json: string; log: string }> {
      const deadline = AbortSignal.timeout(Math.min(PROBE_WALL_S, limits.wallS) * 1000)
      const signal = AbortSignal.any([stop, deadline])
      // ffprobe sets up the decoder of every stream, if only to name it, and gives up on a file in which
      // one is forbidden. It may do so with all; frames are still decoded by ours alone, because the
      // demuxer keeps to the list without a kind of stream, and nothing is asked of the others.
      const all = await allDecoders()
      const named = ['v', 'a', 's'].flatMap((kind) => [`-codec_whitelist:${kind}`, all])
      const show = ['-show_entries', entries, '-of', 'json=string_validation=ignore']
      const child = start(
        ffprobePath,
        ['-v', 'warning', ...inputOptions, ...named, ...show, `file:${input}`],
        { folder, cpuS: Math.min(PROBE_CPU_S, limits.cpuS), signal },
      )
      try {
        const { text, log, code, killedBy } = await outputOf(child)
        if (code !== 0) {
          throw explain(`ffprobe ended with ${killedBy ?? `code ${code}`}`, log, {
            cpuS: Math.min(PROBE_CPU_S, limits.cpuS),
          })
        }
        return { json: text, log }
      } catch (error) {
        if (stop.aborted) throw stop.reason
        if (deadline.aborted) throw new OutOfTime('It took ffprobe too long to read the file.')
        throw error
      }
    },
  }
}

/** It said more than is worth reading. */
export class OutputTooLong extends Error {
  override name = 'OutputTooLong'
}

/** Collects what a process says until it ends. @throws OutputTooLong */
async function outputOf(child: ChildProcessByStdio<null, Readable, Readable>) {
  let text = ''
  let log = ''
  let isTooLong = false
  child.stdout.setEncoding('latin1').on('data', (more: string) => {
    if (text.length + more.length > MAX_PROBE_BYTES) {
      isTooLong = true
      child.kill('SIGKILL')
    } else text += more
  })
  child.stderr.setEncoding('latin1').on('data', (more: string) => {
    log = (log + more).slice(-10_000)
  })
  const { code, killedBy } = await new Promise<{
    code: number | null
    killedBy: NodeJS.Signals | null
  }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, signal) => resolve({ code: exitCode, killedBy: signal }))
  })
  if (isTooLong) throw new OutputTooLong(`more than ${MAX_PROBE_BYTES} bytes`)
  return { text, log, code, killedBy }
}

function explain(message: string, log: string, limits: Pick<FfmpegLimits, 'cpuS'>): Error {
  // A process that reaches a hard limit is killed. We kill too, but then this is not read.
  return /SIGKILL|SIGXCPU/.test(message)
    ? new OutOfTime(
        `It took more than ${limits.cpuS} seconds of CPU time or more memory than there is.`,
      )
    : new FfmpegFailed(message, log)
}

async function consume(
  output: PassThrough,
  onBytes: (chunk: Buffer) => Promise<void> | void,
): Promise<void> {
  for await (const chunk of output) await onBytes(chunk)
}
