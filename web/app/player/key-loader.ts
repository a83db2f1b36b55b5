import type { Quota } from '../lib/api-types.ts'
import { isRefusal, unreachable } from '../lib/problem.ts'
import type { Problem } from '../lib/problem.ts'
import { bytesOfBase64, plainUrl } from './hls-files.ts'
import { keyPeriodsOf, periodAt } from './key-periods.ts'
import type { KeyPeriod } from './key-periods.ts'
import type { LeaseLead } from './lease-lead.ts'
import { keyedAheadS, landingOf, nextLease } from './lease-plan.ts'
import type { LeaseRun } from './lease-plan.ts'
import type { ListeningCalls, SessionAccess } from './listening-calls.ts'

/**
 * A place that was sought, or a track that was skipped to, is paid for when no other move has followed
 * for so long: longer than between two quick presses of a key.
 */
export const SETTLE_MS = 350

/** The first key comes with the session; reckoning when the next one is due must not delay the sound. */
const FIRST_PLAN_MS = 100

/** Longest pause between two tries while the network or the service fails. */
const MAX_PAUSE_MS = 8000
const FIRST_PAUSE_MS = 500

/** Timeout of one try. */
const TRY_TIMEOUT_MS = 8000

/** The position is reported four times a second while the music plays, and assumed in between. */
const LONGEST_GUESS_MS = 500

/**
 * Where nothing of the day is left, the next lease will be refused, which costs nothing: it is tried so
 * early that the music can fade. Seconds.
 */
const REFUSAL_LEAD_S = 3

type KeyOfUrl = { url: string; key: ArrayBuffer }

export type KeyLoader = {
  /** Sets the session, its first key and where it starts, and resumes pending loads. */
  startSession(
    session: SessionAccess & { quota: Quota },
    first: KeyOfUrl | null,
    positionS: number,
  ): void
  /** Replaces the token by a newer one of the same session. */
  setToken(token: string): void
  /** Learns from an HLS playlist which stretch of the track each key opens. */
  learnPeriods(playlist: string): void
  /** Sets the position, and whether music is wanted there: nothing is leased during a pause. */
  setPosition(positionS: number, isPlaying: boolean): void
  /** Where music that starts at `positionS` should, so that nothing is paid for that is not heard. */
  landingOf(positionS: number): number
  /** Notes that the listener has moved to `positionS`: nothing is leased until that has settled. */
  move(positionS: number): void
  /**
   * Resolves with a key of 16 bytes: at once if it was leased before, else when its period is about to
   * be heard. Waits through outages. A refusal goes to `onRefusal` once, and the key then waits for the
   * next session. So hls.js never sees an error and never retries on its own.
   */
  load(url: string, signal: AbortSignal): Promise<ArrayBuffer>
  /** Resolves once a key that is loaded elsewhere has arrived. */
  waitFor(url: string, signal: AbortSignal): Promise<void>
  /** URLs, without tokens, of the keys that have not arrived yet. */
  pendingUrls(): string[]
  /** Ends leasing: the track is left. */
  close(): void
}

export type KeyLoaderParts = {
  lease: ListeningCalls['lease']
  lead: LeaseLead
  origin: string
  now?: () => number
  onQuota: (quota: Quota) => void
  onRefusal: (problem: Problem) => void
  /** Called when a move has settled where nothing is paid for yet, with the place to play from. */
  onLanding: (positionS: number) => void
  /** Starts the session again after it or its token has ended; null if the listener has to act. */
  renew: () => Promise<SessionAccess | null>
}

export function makeKeyLoader(parts: KeyLoaderParts): KeyLoader {
  const { lease, lead, origin, onQuota, onRefusal, onLanding, renew } = parts
  const { now = () => performance.now() } = parts
  const keys = new Map<string, ArrayBuffer>()
  const pending = new Set<string>()
  const waiters = new Set<() => void>()
  let playlist: string | null = null
  let periods: readonly KeyPeriod[] = []
  let session: SessionAccess | null = null
  /** A refused session leases nothing more; the next one does. */
  let isRefused = false
  let isSpent = false
  let position = { seconds: 0, isPlaying: false, atMs: 0 }
  let landedS = 0
  /** What is paid for of the period before where the listener landed in it, seconds. */
  let missedS = 0
  /** Whether a move has not landed yet. */
  let isMoving = false
  let settledMs = 0
  /** Before this nothing is asked for: after a failure, and just after a start. */
  let retryMs = 0
  let pauseMs = FIRST_PAUSE_MS
  let canRenew = true
  /** The request that must be answered before the next one. */
  let request: LeaseRun | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const hasKey = ({ url }: KeyPeriod) => keys.has(url)
  const isWanted = ({ url }: KeyPeriod) => pending.has(url)

  /** Read when they are first needed, which is after the first sound. */
  function knownPeriods(): readonly KeyPeriod[] {
    if (playlist !== null) periods = keyPeriodsOf(playlist, origin)
    playlist = null
    return periods
  }

  function positionS(): number {
    const { seconds, isPlaying, atMs } = position
    return isPlaying ? seconds + Math.min(LONGEST_GUESS_MS, now() - atMs) / 1000 : seconds
  }

  function resumeAll(): void {
    for (const resume of waiters) resume()
    waiters.clear()
  }

  async function waitUntil(isReady: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isReady()) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        waiters.add(resolve)
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    }
    signal.throwIfAborted()
  }

  function planIn(ms: number): void {
    clearTimeout(timer)
    timer = setTimeout(plan, ms)
  }

  /** Leases what is due, or comes back when something will be. */
  function plan(): void {
    clearTimeout(timer)
    if (!session || isRefused || request || !position.isPlaying) return
    const heldMs = Math.max(settledMs, retryMs) - now()
    if (heldMs > 0) {
      planIn(heldMs)
      return
    }
    const all = knownPeriods()
    if (isMoving) {
      isMoving = false
      const landingS = landingOf({ periods: all, hasKey }, position.seconds)
      if (landingS !== position.seconds) {
        landedS = landingS
        missedS = landingS - (all[periodAt(all, landingS)]?.startS ?? landingS)
        position = { ...position, seconds: landingS, atMs: now() }
        onLanding(landingS)
        plan()
        return
      }
    }
    const least = isSpent ? REFUSAL_LEAD_S : 0
    const next = nextLease({
      periods: all,
      hasKey,
      isWanted,
      positionS: positionS(),
      landedS,
      leadS: Math.max(least, lead.leadS()),
      stayingLeadS: Math.max(least, lead.stayingLeadS()),
    })
    if (!next) return
    if (next.inS > 0) planIn(Math.min(next.inS * 1000, LONGEST_GUESS_MS))
    else void leaseRun(session, next.run)
  }

  async function leaseRun(access: SessionAccess, run: LeaseRun): Promise<void> {
    request = run
    const startedMs = now()
    try {
      const answer = await lease(access, run, AbortSignal.timeout(TRY_TIMEOUT_MS))
      lead.measure(now() - startedMs)
      pauseMs = FIRST_PAUSE_MS
      canRenew = true
      for (const { period, keyBase64 } of answer.keys) {
        const url = knownPeriods().find(({ number }) => number === period)?.url
        if (url !== undefined) keys.set(url, bytesOfBase64(keyBase64))
      }
      isSpent = answer.quota.remainingS === 0
      resumeAll()
      onQuota(answer.quota)
    } catch (error) {
      await handleFailure(isRefusal(error) ? error.problem : unreachable(), access)
    }
    // After a move, another request may be under way.
    if (request === run) request = null
    plan()
  }

  async function handleFailure(problem: Problem, access: SessionAccess): Promise<void> {
    const { status, code, retryAfterS } = problem
    if (status === 0 || status >= 500) {
      retryMs = now() + (retryAfterS === null ? pauseMs : retryAfterS * 1000)
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)
      return
    }
    if (status === 429) {
      retryMs = now() + (retryAfterS ?? 2) * 1000
      return
    }
    // Of a session that has been replaced meanwhile.
    if (session?.id !== access.id) return
    if (canRenew && (status === 401 || code === 'session-ended')) {
      canRenew = false
      const fresh = await renew()
      if (fresh) session = fresh
      else isRefused = true
      return
    }
    isRefused = true
    onRefusal(problem)
  }

  /** Tells the lead what the listener leaves unheard. */
  function leave(): void {
    const [first] = knownPeriods()
    if (!session || !first) return
    const unheardS = keyedAheadS({ periods, hasKey }, positionS())
    lead.leave(isMoving ? 0 : unheardS + missedS, first.endS - first.startS)
  }

  return {
    startSession(fresh, first, fromS) {
      session = fresh
      isRefused = false
      isSpent = fresh.quota.remainingS === 0
      canRenew = true
      retryMs = now() + FIRST_PLAN_MS
      pauseMs = FIRST_PAUSE_MS
      request = null
      position = { ...position, seconds: fromS, atMs: now() }
      landedS = fromS
      if (first) keys.set(plainUrl(first.url, origin), first.key)
      resumeAll()
      plan()
    },
    setToken(token) {
      if (session) session = { ...session, token }
    },
    learnPeriods(text) {
      if (text.includes('#EXT-X-KEY')) playlist = text
    },
    setPosition(seconds, isPlaying) {
      position = { seconds, isPlaying, atMs: now() }
      plan()
    },
    landingOf: (seconds) => landingOf({ periods: knownPeriods(), hasKey }, seconds),
    move(seconds) {
      leave()
      position = { ...position, seconds, atMs: now() }
      landedS = seconds
      isMoving = true
      missedS = 0
      settledMs = now() + SETTLE_MS
      // What is on its way is for another place; the answer is kept, but not waited for.
      request = null
      plan()
    },
    async load(url, signal) {
      const plain = plainUrl(url, origin)
      pending.add(plain)
      if (!keys.has(plain)) plan()
      try {
        await waitUntil(() => keys.has(plain), signal)
        return (keys.get(plain) ?? new ArrayBuffer(0)).slice(0)
      } finally {
        pending.delete(plain)
      }
    },
    waitFor: (url, signal) => waitUntil(() => keys.has(plainUrl(url, origin)), signal),
    pendingUrls: () => [...pending],
    close() {
      leave()
      session = null
      clearTimeout(timer)
    },
  }
}
