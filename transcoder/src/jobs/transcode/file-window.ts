import type { FileHandle } from 'node:fs/promises'

/** Read at once: a walk through a large file is some hundred reads, not one for each of its parts. */
const WINDOW_BYTES = 2 ** 20

type FileWindow = {
  /** Bytes in the file. */
  size: number
  /** The bytes from `at` on: `ahead` of them or more, or fewer where the file ends. */
  from(at: number, ahead: number): Promise<Buffer>
}

/** Walks through a file from its start to its end, a window of a megabyte at a time. */
export async function openWindow(handle: FileHandle, signal: AbortSignal): Promise<FileWindow> {
  const { size } = await handle.stat()
  const buffer = Buffer.alloc(WINDOW_BYTES)
  let start = 0
  let length = 0
  return {
    size,
    async from(at, ahead) {
      if (at < start || Math.min(at + ahead, size) > start + length) {
        signal.throwIfAborted()
        start = at
        length = 0
        while (length < WINDOW_BYTES && start + length < size) {
          const { bytesRead } = await handle.read(
            buffer,
            length,
            WINDOW_BYTES - length,
            start + length,
          )
          if (bytesRead === 0) break
          length += bytesRead
        }
      }
      return buffer.subarray(at - start, length)
    },
  }
}
