import type { Hls } from '../lib/api-types.ts'
import { LoadError } from './loader.ts'
import type { LoadedFile } from './loader.ts'

/** Decodes base64 to bytes. */
export function bytesOfBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer
}

/** Strips query and fragment, so that a URL compares equal with and without a token. */
export function plainUrl(url: string, origin: string): string {
  const absolute = new URL(url, origin)
  absolute.search = ''
  absolute.hash = ''
  return absolute.href
}

type FetchParts = { fetch: typeof globalThis.fetch; origin: string; now?: () => number }

/** After this hls.js retries; a connection that slow could not play music anyway. */
const FETCH_TIMEOUT_MS = 20_000

/** Ciphertext and HLS playlists are public: fetched without cookies, so that any cache may hold them. */
async function fetchFile(
  { fetch, now = () => performance.now() }: FetchParts,
  url: string,
  signal: AbortSignal | null,
  read: (response: Response) => Promise<string | ArrayBuffer>,
): Promise<LoadedFile> {
  const startedMs = now()
  const deadline = AbortSignal.timeout(FETCH_TIMEOUT_MS)
  const response = await fetch(url, {
    credentials: 'omit',
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  })
  if (!response.ok) throw new LoadError(response.status, `HTTP ${response.status}`)
  const data = await read(response)
  return { data, startedMs, endedMs: now() }
}

/** How many prefetched segments are kept; each is about 32 kB. */
const MAX_PREFETCHED = 6

/** First segments fetched before hls.js asks for them; each can be taken once. */
export type SegmentPrefetch = {
  /** Starts parts unless it is under way. */
  start(url: string): void
  take(url: string): Promise<LoadedFile | null>
}

export function makeSegmentPrefetch(parts: FetchParts): SegmentPrefetch {
  const fetches = new Map<string, Promise<LoadedFile | null>>()
  return {
    start(url) {
      const plain = plainUrl(url, parts.origin)
      if (fetches.has(plain)) return
      const [oldest] = fetches.keys()
      if (fetches.size >= MAX_PREFETCHED && oldest !== undefined) fetches.delete(oldest)
      // If it fails, hls.js fetches the segment as usual.
      const file = fetchFile(parts, url, null, (response) => response.arrayBuffer())
      fetches.set(
        plain,
        file.catch(() => null),
      )
    },
    async take(url) {
      const plain = plainUrl(url, parts.origin)
      const file = fetches.get(plain)
      fetches.delete(plain)
      return (await file) ?? null
    },
  }
}

/** The files a deck plays from: some came with the session, the rest are fetched. */
export type HlsFiles = {
  /** Adds the HLS playlists and init segments that came with a session. */
  add(hls: Hls): void
  playlist(url: string, signal: AbortSignal): Promise<LoadedFile>
  media(url: string, signal: AbortSignal): Promise<LoadedFile>
}

export function makeHlsFiles({
  prefetch,
  onPlaylist,
  ...parts
}: FetchParts & {
  prefetch: SegmentPrefetch
  /** Called with each HLS playlist before hls.js has it. */
  onPlaylist: (text: string) => void
}): HlsFiles {
  const { origin, now = () => performance.now() } = parts
  const playlists = new Map<string, string>()
  const inits = new Map<string, ArrayBuffer>()

  function fromMemory(data: string | ArrayBuffer): LoadedFile {
    const at = now()
    return { data, startedMs: at, endedMs: at }
  }

  return {
    add(hls) {
      for (const [url, text] of Object.entries(hls.playlists)) {
        playlists.set(plainUrl(url, origin), text)
        onPlaylist(text)
      }
      for (const [url, base64] of Object.entries(hls.inits)) {
        inits.set(plainUrl(url, origin), bytesOfBase64(base64))
      }
    },
    async playlist(url, signal) {
      const text = playlists.get(plainUrl(url, origin))
      if (text !== undefined) return fromMemory(text)
      return fetchFile(parts, url, signal, async (response) => {
        const fetched = await response.text()
        onPlaylist(fetched)
        return fetched
      })
    },
    async media(url, signal) {
      const init = inits.get(plainUrl(url, origin))
      // The transmuxer may take the buffer away: hand out a copy.
      if (init) return fromMemory(init.slice(0))
      const prefetched = await prefetch.take(url)
      return prefetched ?? fetchFile(parts, url, signal, (response) => response.arrayBuffer())
    },
  }
}
