import { spawn } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fluent from 'fluent-ffmpeg'
import { OutOfTime } from '../../jobs/transcode/failures.ts'

const LIMITED = fileURLToPath(new URL('limited.sh', import.meta.url))

/** ffprobe prints a few kilobytes; a file whose tags make it print more is not worth reading. */
const MAX_PROBE_BYTES = 4 * 1024 ** 2

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
  signal: AbortSignal
}

/** ffmpeg did not end well. */
export class FfmpegFailed extends Error {
  override name = 'FfmpegFailed'
  /** The last lines of its log. */
  readonly log: string

  constructor(message: string, log: string) {
    super(message)
    this.log = log
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
      const command = fluent({ cwd: run.folder, stdoutLines: KEPT_LOG_LINES })
        .setFfmpegPath(LIMITED)
        .input(`file:${run.input}`)
        .inputOptions('-hide_banner', '-nostdin', '-nostats', ...run.inputOptions)
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
        return log.join('\n')
      } catch (error) {
        if (run.signal.aborted) throw run.signal.reason
        if (deadline.aborted) throw new FfmpegFailed('ffmpeg took too long', log.join('\n'))
        throw error
      } finally {
        signal.removeEventListener('abort', kill)
      }
    },

    /**
     * Asks ffprobe about a file.
     *
     * @returns its JSON, as Latin-1 text in which every character is one byte: tags may be in any
     *   encoding, and only the reader can tell which
     * @throws FfmpegFailed when it can't read the file
     */
    async probe(
      folder: string,
      input: string,
      inputOptions: readonly string[],
      signal: AbortSignal,
    ): Promise<{ json: string; log: string }> {
      const show = ['-show_format', '-show_streams', '-of', 'json=string_validation=ignore']
      const child = spawn(
        LIMITED,
        ['-hide_banner', '-v', 'warning', ...inputOptions, ...show, `file:${input}`],
        {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'pipe'],
          signal: AbortSignal.any([signal, AbortSignal.timeout(limits.wallS * 1000)]),
          killSignal: 'SIGKILL',
          env: { ...process.env, ...environment, MIST_LIMITED_PROGRAM: ffprobePath },
        },
      )
      let json = ''
      let log = ''
      child.stdout.setEncoding('latin1').on('data', (text: string) => {
        json += text
        if (json.length > MAX_PROBE_BYTES) child.kill('SIGKILL')
      })
      child.stderr.setEncoding('latin1').on('data', (text: string) => {
        log = (log + text).slice(-10_000)
      })
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', resolve)
      })
      if (code !== 0) throw new FfmpegFailed(`ffprobe ended with code ${code}`, log)
      return { json, log }
    },
  }
}

function explain(message: string, log: string, limits: FfmpegLimits): Error {
  // Who reaches a hard limit is killed. We kill too, but then nobody looks at this.
  return message.includes('SIGKILL')
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
