import type { Hls } from '../lib/api-types.ts'
import { AnswerError } from './loader.ts'
import type { Answer } from './loader.ts'

/** Decodes base64 to bytes. */
export function bytesOfBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer
}

/** Makes the form in which URLs are compared: a token may ride in the query. */
export function plainUrl(url: string, origin: string): string {
  const absolute = new URL(url, origin)
  absolute.search = ''
  absolute.hash = ''
  return absolute.href
}

type Fetching = { fetch: typeof globalThis.fetch; origin: string; now?: () => number }

/** A file that takes longer is asked for again by hls.js; on a line so slow no music plays anyway. */
const FETCH_WITHIN_MS = 20_000

/** Ciphertext and playlists are public: no cookies, so that any cache may hold them. */
async function ask(
  { fetch, now = () => performance.now() }: Fetching,
  url: string,
  signal: AbortSignal | null,
  read: (response: Response) => Promise<string | ArrayBuffer>,
): Promise<Answer> {
  const startedMs = now()
  const deadline = AbortSignal.timeout(FETCH_WITHIN_MS)
  const response = await fetch(url, {
    credentials: 'omit',
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  })
  if (!response.ok) throw new AnswerError(response.status, `HTTP ${response.status}`)
  const data = await read(response)
  return { data, startedMs, endedMs: now() }
}

/** Segments that were fetched ahead are few and small: 32 kB each. */
const KEPT_SEGMENTS = 6

/** First segments on their way before anybody asked for them; each can be taken once. */
export type EarlySegments = {
  /** Starts fetching unless it is under way. */
  warm(url: string): void
  take(url: string): Promise<Answer | null>
}

export function makeEarlySegments(fetching: Fetching): EarlySegments {
  const early = new Map<string, Promise<Answer | null>>()
  return {
    warm(url) {
      const plain = plainUrl(url, fetching.origin)
      if (early.has(plain)) return
      const [oldest] = early.keys()
      if (early.size >= KEPT_SEGMENTS && oldest !== undefined) early.delete(oldest)
      // A guess that fails is simply asked again by the player.
      const answer = ask(fetching, url, null, (response) => response.arrayBuffer())
      early.set(
        plain,
        answer.catch(() => null),
      )
    },
    async take(url) {
      const plain = plainUrl(url, fetching.origin)
      const answer = early.get(plain)
      early.delete(plain)
      return (await answer) ?? null
    },
  }
}

/** What a deck plays from: answers that came with the session, and fetches for everything else. */
export type Answers = {
  /** Adds the playlists and init segments that came with a session. */
  add(hls: Hls): void
  playlist(url: string, signal: AbortSignal): Promise<Answer>
  media(url: string, signal: AbortSignal): Promise<Answer>
}

export function makeAnswers({ early, ...fetching }: Fetching & { early: EarlySegments }): Answers {
  const { origin, now = () => performance.now() } = fetching
  const playlists = new Map<string, string>()
  const inits = new Map<string, ArrayBuffer>()

  function remembered(data: string | ArrayBuffer): Answer {
    const at = now()
    return { data, startedMs: at, endedMs: at }
  }

  return {
    add(hls) {
      for (const [url, text] of Object.entries(hls.playlists)) {
        playlists.set(plainUrl(url, origin), text)
      }
      for (const [url, base64] of Object.entries(hls.inits)) {
        inits.set(plainUrl(url, origin), bytesOfBase64(base64))
      }
    },
    async playlist(url, signal) {
      const text = playlists.get(plainUrl(url, origin))
      if (text !== undefined) return remembered(text)
      return ask(fetching, url, signal, (response) => response.text())
    },
    async media(url, signal) {
      const init = inits.get(plainUrl(url, origin))
      // The transmuxer may take the buffer away: hand out a copy.
      if (init) return remembered(init.slice(0))
      const taken = await early.take(url)
      return taken ?? ask(fetching, url, signal, (response) => response.arrayBuffer())
    },
  }
}
