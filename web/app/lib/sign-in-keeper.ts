import { waitAfter } from './backoff.ts'
import { problemOfResponse, unreachable } from './problem.ts'
import type { Problem } from './problem.ts'
import {
  lifeLeftMs,
  readSignIn,
  readWait,
  waitLeftMs,
  writeSignIn,
  writeWait,
} from './sign-in-notes.ts'
import type { Notes, SignInNote } from './sign-in-notes.ts'

/**
 * Keeps the browser signed in. A refresh token is meant to be used once: the service forgives a second
 * use only for a moment. So all tabs of the site take turns behind one lock, and each first looks
 * whether another has refreshed while it waited. Should a tab not see that in time (storage reaches
 * other processes late), it refreshes in its turn with the new token, which is needless but harmless.
 *
 * When to refresh is counted from the life that the service says the token has, on a clock that nobody
 * sets. A machine that slept may count short; then an answer of 401 asks for the refresh.
 */

const LOCK = 'mist.refresh'

/** Refresh when less than this is left, so that no request meets an expired token. */
const AHEAD_MS = 60_000

/**
 * No answer after so long is none. It is well below the half minute in which the service answers the
 * same token again, so what it did unheard is not lost.
 */
const PATIENCE_MS = 10_000

export type KeeperParts = {
  fetch: typeof globalThis.fetch
  notes: Notes
  /** Runs one at a time in all tabs. */
  exclusively: <T>(name: string, task: () => Promise<T>) => Promise<T>
  /** Milliseconds on a clock that is never set, such as `performance.now()`. */
  monotonic: () => number
  /** This device's idea of Unix milliseconds: compared with nothing but itself. */
  wall: () => number
  /** 0 ≤ random < 1 */
  random: () => number
}

export type Renewal =
  | { kind: 'renewed' }
  | { kind: 'signed-out' }
  /** The service can't say now; asking before `retryInMs` have passed is answered from here. */
  | { kind: 'unavailable'; retryInMs: number; problem: Problem }

/** How long an access token has, as the service said: by its clock and, what counts, from now. */
export type AccessLife = { endsAtMs: number; leftMs: number }

const RENEWED: Renewal = { kind: 'renewed' }
const SIGNED_OUT: Renewal = { kind: 'signed-out' }

/** Taken for the life of a token where an older service does not tell it, in milliseconds. */
const UNTOLD_LIFE_MS = 5 * 60_000

/** What a refresh answers; null where it is not what we think. */
async function lifeOf(response: Response): Promise<AccessLife | null> {
  const body: unknown = await response.json().catch(() => null)
  if (typeof body !== 'object' || body === null || !('accessExpiresAt' in body)) return null
  const endsAtMs = Date.parse(String(body.accessExpiresAt))
  if (Number.isNaN(endsAtMs)) return null
  if ('accessExpiresInS' in body && typeof body.accessExpiresInS === 'number')
    return { endsAtMs, leftMs: body.accessExpiresInS * 1000 }
  return { endsAtMs, leftMs: UNTOLD_LIFE_MS }
}

export function makeSignInKeeper({
  fetch,
  notes,
  exclusively,
  monotonic,
  wall,
  random,
}: KeeperParts) {
  /** The newest access token that this tab knows of, and when it ends on this tab's clock. */
  let known: { endsAtMs: number; deadlineMs: number } | null = null
  /** No refresh before this, on this tab's clock. */
  let notBeforeMs = 0
  let lastProblem = unreachable()
  let running: Promise<Renewal> | null = null
  /** Set once the service has ended the sign-in: asking again would only be refused again. */
  let isOver = false
  /** The renewal on whose word a page was asked for again; it is taken on its word once. */
  let trusted: number | null = null

  /** Takes over what another tab has noted since. */
  function sync(): void {
    const note = readSignIn(notes)
    if (note === null) known = null
    else if (known === null || note.endsAtMs > known.endsAtMs) {
      known = { endsAtMs: note.endsAtMs, deadlineMs: monotonic() + lifeLeftMs(note, wall()) }
    }
  }

  function keep({ endsAtMs, leftMs }: AccessLife): void {
    known = { endsAtMs, deadlineMs: monotonic() + leftMs }
    writeSignIn(notes, { endsAtMs, lifetimeMs: leftMs, notedAtMs: wall() })
  }

  const isFresh = () => known !== null && known.deadlineMs - AHEAD_MS > monotonic()

  /** How long no tab may ask: by the note of whichever failed last, and by what this one knows itself. */
  function mustWaitMs(): number {
    const note = readWait(notes)
    return note === null ? 0 : Math.max(waitLeftMs(note, wall()), notBeforeMs - monotonic())
  }

  function unavailable(problem: Problem): Renewal {
    const failures = (readWait(notes)?.failures ?? 0) + 1
    const waitMs = waitAfter(failures, problem.retryAfterS, random())
    lastProblem = problem
    notBeforeMs = monotonic() + waitMs
    writeWait(notes, {
      waitMs,
      notedAtMs: wall(),
      failures,
      isAsked: problem.retryAfterS !== null,
    })
    return { kind: 'unavailable', retryInMs: waitMs, problem }
  }

  async function refresh(): Promise<Renewal> {
    const waitMs = mustWaitMs()
    if (waitMs > 0) return { kind: 'unavailable', retryInMs: waitMs, problem: lastProblem }
    let response: Response
    try {
      response = await fetch('/api/v1/auth/refresh', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
        // A page that is closed meanwhile still gets its cookies.
        keepalive: true,
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
    } catch {
      return unavailable(unreachable())
    }
    if (!response.ok) {
      const problem = await problemOfResponse(response)
      if (response.status !== 401 && problem.code !== 'account-blocked') return unavailable(problem)
      writeSignIn(notes, null)
      writeWait(notes, null)
      known = null
      isOver = true
      return SIGNED_OUT
    }
    const life = await lifeOf(response)
    if (life === null) return unavailable(unreachable())
    writeWait(notes, null)
    notBeforeMs = 0
    keep(life)
    return RENEWED
  }

  /** @param isDone in the lock, whether another tab has done it meanwhile */
  function inTurn(isDone: () => boolean): Promise<Renewal> {
    if (isOver) return Promise.resolve(SIGNED_OUT)
    running ??= exclusively(LOCK, async () => {
      sync()
      return isDone() ? RENEWED : refresh()
    }).finally(() => {
      running = null
    })
    return running
  }

  /** The newest token that was noted after an instant of this device's clock, and is still good. */
  function notedSince(sinceWallMs: number): SignInNote | null {
    const note = readSignIn(notes)
    const isSince = note !== null && note.notedAtMs >= sinceWallMs && note.notedAtMs <= wall()
    return isSince && isFresh() ? note : null
  }

  return {
    /** Notes the access token that a page came with; null after signing out. */
    learn(life: AccessLife | null): void {
      if (life === null) {
        known = null
        writeSignIn(notes, null)
        return
      }
      isOver = false
      sync()
      // What another tab got later is not overwritten by an older page.
      if (known === null || life.endsAtMs >= known.endsAtMs) keep(life)
    },
    /** Milliseconds until the next refresh is due; null when not signed in. */
    dueInMs(): number | null {
      sync()
      if (known === null) return null
      return Math.max(0, known.deadlineMs - AHEAD_MS - monotonic(), mustWaitMs())
    },
    /** The token that a request goes out with now: to be told to {@link renew} should it be refused. */
    current(): number | null {
      sync()
      return known?.endsAtMs ?? null
    },
    /**
     * Renews the sign-in, unless another tab has done so since.
     *
     * @param seen the token that turned out too old, as {@link current} named it
     */
    renew(seen: number | null = known?.endsAtMs ?? null): Promise<Renewal> {
      return inTurn(() => known !== null && known.endsAtMs > (seen ?? 0) && isFresh())
    },
    /**
     * Renews the sign-in for a page that came without a usable access token. Another tab may have done
     * so after the page was asked for; that is believed once, for the clocks may have been set.
     *
     * @param askedForMs when the page was asked for by this device's clock, Unix milliseconds
     */
    renewForPage(askedForMs: number): Promise<Renewal> {
      return inTurn(() => {
        const note = notedSince(askedForMs)
        if (note === null || note.endsAtMs === trusted) return false
        trusted = note.endsAtMs
        return true
      })
    },
    /** The connection is back: what waits for it need wait no longer, unless the service asked for it. */
    connected(): void {
      const note = readWait(notes)
      if (note === null || note.isAsked) return
      notBeforeMs = 0
      writeWait(notes, { ...note, waitMs: 0 })
    },
  }
}

export type SignInKeeper = ReturnType<typeof makeSignInKeeper>
