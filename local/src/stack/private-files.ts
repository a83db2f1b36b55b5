import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes a whole file. */
export type WriteFile = (file: string, text: string) => void

/**
 * Writes a file that only its owner may read, all at once: readers never see half of it, and where
 * it can't be written the old one stays.
 */
export function writePrivately(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const unfinished = `${file}.unfinished`
  try {
    writeFileSync(unfinished, text, { mode: 0o600 })
    chmodSync(unfinished, 0o600)
    renameSync(unfinished, file)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

/**
 * Makes a writer that outlives a full disk: it says so once, and writes the newest text of each file
 * as soon as there is room again.
 *
 * @param options.write what writes; it throws when it can't
 */
export function makePatientWriter(options: {
  say: (text: string) => void
  write?: WriteFile
  retryMs?: number
}) {
  const { say, write = writePrivately, retryMs = 5_000 } = options
  const waiting = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined

  function retry(): void {
    for (const [file, text] of waiting) {
      try {
        write(file, text)
      } catch {
        return
      }
      waiting.delete(file)
    }
    clearInterval(timer)
    timer = undefined
    say('the state can be written again')
  }

  return {
    write: (file: string, text: string): void => {
      try {
        write(file, text)
        waiting.delete(file)
      } catch (error) {
        waiting.set(file, text)
        if (timer !== undefined) return
        const why = error instanceof Error ? error.message : String(error)
        say(`${file} can't be written; everything goes on, and it is tried again: ${why}`)
        timer = setInterval(retry, retryMs).unref()
      }
    },
    /** Forgets what could not be written. */
    stop(): void {
      clearInterval(timer)
      timer = undefined
      waiting.clear()
    },
  }
}

/**
 * Makes a stack's folder, and makes it its owner's only, whatever it was before; everything in it is
 * then out of reach for other users of the machine. A folder that has other things in it and never
 * was a stack's is left as it is: somebody may have named /tmp.
 *
 * @param dir the stack's folder
 * @param home the folder of all stacks, which is made private, too
 */
export function makePrivateFolder(dir: string, home: string): void {
  for (const folder of new Set([home, dir])) {
    if (folder === home && !dir.startsWith(home)) continue
    const isOurs =
      folder === home ||
      dir.startsWith(home) ||
      !existsSync(folder) ||
      existsSync(join(folder, 'state.json')) ||
      readdirSync(folder).length === 0
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (isOurs) chmodSync(folder, 0o700)
  }
  // Whoever had opened the folder before keeps nothing of what is secret.
  for (const name of ['state.json', 'stack.json', 'redis/redis.conf', 'logs/stack.log'])
    if (existsSync(join(dir, name))) chmodSync(join(dir, name), 0o600)
}
