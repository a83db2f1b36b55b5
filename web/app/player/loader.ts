/**
 * Loaders for hls.js made from async functions. The types repeat the part of hls.js's `Loader`
 * interface that we use, so that only hls-engine.ts imports the library.
 */

type Timing = { start: number; first: number; end: number }

export type Stats = {
  aborted: boolean
  loaded: number
  retry: number
  total: number
  chunkCount: number
  bwEstimate: number
  loading: Timing
  parsing: { start: number; end: number }
  buffering: Timing
}

export type Context = { url: string; responseType: string; frag?: { start: number } | undefined }

export type Callbacks<C> = {
  onSuccess: (response: LoaderResponse, stats: Stats, context: C, details: null) => void
  onError: (error: { code: number; text: string }, context: C, details: null, stats: Stats) => void
  onAbort?: ((stats: Stats, context: C, details: null) => void) | undefined
}

type LoaderResponse = { url: string; data: string | ArrayBuffer; code: number }

/** A file, and when it was really transferred, from which hls.js estimates bandwidth. */
export type LoadedFile = {
  data: string | ArrayBuffer
  /** `performance.now()` of request and last byte. */
  startedMs: number
  endedMs: number
}

/** Thrown by a {@link Load} for a status other than 2xx. */
export class LoadError extends Error {
  readonly code: number

  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

/** Loads what hls.js asks for. Rejects with {@link LoadError} or a network error. */
export type Load<C> = (context: C, signal: AbortSignal) => Promise<LoadedFile>

function freshStats(): Stats {
  return {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  }
}

function lengthOf(data: string | ArrayBuffer): number {
  return typeof data === 'string' ? data.length : data.byteLength
}

/**
 * Makes a loader class for hls.js from an async function. It sets no timeout, because waiting is
 * normal here: a key is held back until just before it is needed. The function sets its own.
 */
export function makeLoaderClass<C extends Context>(loadFile: Load<C>) {
  return class PromiseLoader {
    context: C | null = null
    stats: Stats = freshStats()
    #callbacks: Callbacks<C> | null = null
    #abort = new AbortController()

    load(context: C, _configuration: unknown, callbacks: Callbacks<C>): void {
      this.context = context
      this.#callbacks = callbacks
      this.stats.loading.start = performance.now()
      loadFile(context, this.#abort.signal).then(
        (file) => this.#succeed(file),
        (error: unknown) => this.#fail(error),
      )
    }

    abort(): void {
      const callbacks = this.#settle()
      if (!callbacks || !this.context) return
      this.stats.aborted = true
      this.#abort.abort()
      callbacks.onAbort?.(this.stats, this.context, null)
    }

    destroy(): void {
      this.#settle()
      this.#abort.abort()
      this.context = null
    }

    getCacheAge(): number | null {
      return null
    }

    getResponseHeader(): string | null {
      return null
    }

    /** Takes the callbacks, so that they are called at most once. */
    #settle(): Callbacks<C> | null {
      const callbacks = this.#callbacks
      this.#callbacks = null
      return callbacks
    }

    #succeed({ data, startedMs, endedMs }: LoadedFile): void {
      const callbacks = this.#settle()
      if (!callbacks || !this.context) return
      const { stats } = this
      stats.loaded = stats.total = lengthOf(data)
      stats.loading.start = startedMs
      stats.loading.first = Math.max(startedMs, endedMs - 1)
      stats.loading.end = Math.max(endedMs, startedMs + 1)
      callbacks.onSuccess({ url: this.context.url, data, code: 200 }, stats, this.context, null)
    }

    #fail(error: unknown): void {
      const callbacks = this.#settle()
      if (!callbacks || !this.context) return
      const code = error instanceof LoadError ? error.code : 0
      const text = error instanceof Error ? error.message : 'unreachable'
      callbacks.onError({ code, text }, this.context, null, this.stats)
    }
  }
}
