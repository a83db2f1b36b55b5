import type { ListeningSession } from '../lib/api-types.ts'
import { AnswerError } from './loader.ts'
import type { Answer } from './loader.ts'

/** Decodes base64 to bytes. */
export function bytesOfBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer
}

/**
 * What a deck plays from: answers that came with the session, and fetches for everything else.
 * URLs are compared absolute and without query, since a token may ride there.
 */
export type Answers = {
  /** Adds the playlists and init segments that came with a session. */
  add(hls: ListeningSession['hls']): void
  /** Starts fetching a ciphertext segment before the player asks for it. */
  warm(url: string): void
  playlist(url: string, signal: AbortSignal): Promise<Answer>
  media(url: string, signal: AbortSignal): Promise<Answer>
}

/** Makes the form in which URLs are compared. */
export function plainUrl(url: string, origin: string): string {
  const absolute = new URL(url, origin)
  absolute.search = ''
  absolute.hash = ''
  return absolute.href
}

export function makeAnswers({
  fetch,
  origin,
  now = () => performance.now(),
}: {
  fetch: typeof globalThis.fetch
  origin: string
  now?: () => number
}): Answers {
  const playlists = new Map<string, string>()
  const inits = new Map<string, ArrayBuffer>()
  const warmed = new Map<string, Promise<Answer>>()

  async function ask(
    url: string,
    signal: AbortSignal | null,
    read: (response: Response) => Promise<string | ArrayBuffer>,
  ): Promise<Answer> {
    const startedMs = now()
    // Ciphertext and playlists are public: no cookies, so that any cache may hold them.
    const response = await fetch(url, { credentials: 'omit', ...(signal ? { signal } : {}) })
    if (!response.ok) throw new AnswerError(response.status, `HTTP ${response.status}`)
    const data = await read(response)
    return { data, startedMs, endedMs: now() }
  }

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
    warm(url) {
      const plain = plainUrl(url, origin)
      if (warmed.has(plain)) return
      const answer = ask(url, null, (response) => response.arrayBuffer())
      // A guess that fails is simply asked again by the player.
      answer.catch(() => warmed.delete(plain))
      warmed.set(plain, answer)
    },
    async playlist(url, signal) {
      const text = playlists.get(plainUrl(url, origin))
      if (text !== undefined) return remembered(text)
      return ask(url, signal, (response) => response.text())
    },
    async media(url, signal) {
      const plain = plainUrl(url, origin)
      const init = inits.get(plain)
      // The transmuxer may take the buffer away: hand out a copy.
      if (init) return remembered(init.slice(0))
      const answer = await warmed.get(plain)?.catch(() => null)
      if (answer) {
        warmed.delete(plain)
        return answer
      }
      return ask(url, signal, (response) => response.arrayBuffer())
    },
  }
}
