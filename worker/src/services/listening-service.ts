import {
  derivePeriodKey,
  type MasterKey,
  newId,
  quotaOf,
  type Quota,
  SessionId,
} from '@mist/db/contract'
import { API_BASE } from '../api-base.ts'
import type {
  Completion,
  Heartbeat,
  Leases,
  ListeningSession,
  NewLeases,
  NewListeningSession,
} from '../contract/listening.ts'
import type { Clock } from '../platform/clock.ts'
import type { AccessClaims, SessionClaims, Tokens } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'
import type { ListeningRepo, Report, StartRequest } from '../repos/listening-repo.ts'
import type { MediaRepo } from '../repos/media-repo.ts'
import { type HlsUrls, keyUrl } from './hls-playlists.ts'
import { filesOf, offered } from './hls-service.ts'
import { refusal } from './listening-refusals.ts'
import type { MasterKeys } from './master-keys.ts'

/** Where absolute URLs start, and what media keys are appended to. */
export type Origins = { origin: string; mediaBase: string }

/** Shortest life of a session token, seconds. */
const SESSION_TOKEN_MIN_S = 600
/** What a session token outlives its track by, seconds. */
const SESSION_TOKEN_SPARE_S = 300

/**
 * Life of a session token: long enough for a player that sends no heartbeats to play the track
 * through. The row is asked at every lease anyway, so a long life opens nothing.
 */
function sessionTokenLifetimeS(durationS: number): number {
  return Math.max(SESSION_TOKEN_MIN_S, Math.ceil(durationS) + SESSION_TOKEN_SPARE_S)
}

const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))

/** Who reports a position: the token of the session itself, or its listener's access token. */
export type Reporter = AccessClaims | SessionClaims

/** Listening: sessions, keys, positions. */
export function makeListeningService({
  listening,
  media,
  tokens,
  masterKeys,
  clock,
}: {
  listening: ListeningRepo
  media: MediaRepo
  tokens: Tokens
  masterKeys: MasterKeys
  clock: Clock
}) {
  /**
   * Starts or resumes a session with the master key that it needs. Nothing is charged before that
   * key is open: one statement where it is, one more where it was not opened here lately.
   */
  async function startOpened(request: Omit<StartRequest, 'opened'>) {
    const { trackId } = request
    let keys = masterKeys.known(trackId)
    let started = await listening.start({ ...request, opened: [...keys.keys()] })
    if (started.outcome === 'unopened') {
      const { version } = started
      keys = new Map([[version, await masterKeys.open(started, trackId, version)]])
      started = await listening.start({ ...request, opened: [version] })
    }
    if (started.outcome === 'unopened')
      throw new Problem('unavailable', 'The track was replaced just now. Try again.', {
        retryAfterS: 1,
      })
    if (started.outcome !== 'started' && started.outcome !== 'resumed')
      throw refusal(
        started.outcome,
        request.now,
        'retryAfterS' in started ? started.retryAfterS : 0,
      )
    const masterKey = keys.get(started.version)
    if (!masterKey) throw new Error('a session was started whose key is not open')
    return { started, masterKey }
  }

  /** The master key of a session's version, opened now where it was not lately. */
  async function masterKeyOf({ trackId, version }: SessionClaims): Promise<MasterKey> {
    const known = masterKeys.known(trackId).get(version)
    if (known) return known
    const wrapped = await media.wrappedKey(trackId, version)
    // A version's key goes with the version.
    if (!wrapped) throw refusal('ended', clock())
    return masterKeys.open(wrapped, trackId, version)
  }

  /** Leases periods in a row, and derives their keys. One statement, where the master key was opened here lately. */
  async function lease(session: SessionClaims, run: NewLeases, now: Date) {
    const masterKey = await masterKeyOf(session)
    const periods = Array.from({ length: run.count }, (_, index) => run.from + index)
    const [leased, keys] = await Promise.all([
      listening.lease(session, run, now),
      // Derived while the meter decides; they are given out only where the meter grants them.
      Promise.all(
        periods.map((period) =>
          derivePeriodKey(masterKey, session.trackId, session.version, period),
        ),
      ),
    ])
    if (leased.outcome === 'no-session') throw refusal('ended', now)
    if (leased.outcome !== 'granted') throw refusal(leased.outcome, now, leased.retryAfterS)
    return { ...leased, keys: keys.slice(0, leased.count) }
  }

  async function record(by: Reporter, report: Omit<Report, 'userId'>) {
    const recorded =
      'familyId' in by
        ? await listening.recordFor(by, report)
        : await listening.record({ ...report, userId: by.userId })
    if (recorded.outcome !== 'recorded') throw refusal(recorded.outcome, report.now)
    return recorded
  }

  function tokenFor(claims: SessionClaims, durationS: number) {
    return tokens.issueSession(claims, sessionTokenLifetimeS(durationS))
  }

  return {
    /**
     * Starts a listening session, or resumes the one that this auth session has on the track, and answers
     * with all that a player needs before its first segment.
     */
    async start(
      listener: AccessClaims,
      { trackId, positionS, hls }: NewListeningSession,
      { origin, mediaBase }: Origins,
    ): Promise<{ isResumed: boolean; session: ListeningSession }> {
      const now = clock()
      const { started, masterKey } = await startOpened({
        newSessionId: newId(SessionId, now.getTime()),
        userId: listener.userId,
        familyId: listener.familyId,
        trackId,
        positionS,
        now,
        withRenditions: hls,
      })

      const { sessionId, version, timing, segmentsPerPeriod, maxBitrate, period } = started
      const durationS = timing.sampleCount / timing.sampleRate
      const [key, issued] = await Promise.all([
        derivePeriodKey(masterKey, trackId, version, period),
        tokenFor({ sessionId, userId: listener.userId, trackId, version, maxBitrate }, durationS),
      ])

      const track = { trackId, version, timing, segmentsPerPeriod }
      const urls: HlsUrls = { apiBase: API_BASE, mediaBase, token: null }
      const absolute = (url: string) => new URL(url, origin).toString()
      const renditions = started.renditions && offered(started.renditions, maxBitrate)
      return {
        isResumed: started.outcome === 'resumed',
        session: {
          id: sessionId,
          token: issued.token,
          expiresAt: issued.expiresAt.toISOString(),
          quota: quotaOf(started.limitMs, started.usedMs, now),
          hls: renditions && filesOf(track, renditions, urls, absolute),
          firstKey: { url: absolute(keyUrl(track, period, urls)), keyBase64: toBase64(key) },
          durationS,
          positionS: started.positionS,
        },
      }
    },

    /**
     * Leases the key of one period: 16 bytes.
     *
     * @param trackId as the address names it, in any case
     */
    async leaseKey(
      session: SessionClaims,
      trackId: string,
      version: number,
      period: number,
    ): Promise<Uint8Array<ArrayBuffer>> {
      const now = clock()
      if (session.trackId !== trackId.toLowerCase() || session.version !== version)
        throw refusal('wrong-track', now)
      const { keys } = await lease(session, { from: period, count: 1 }, now)
      const [key] = keys
      if (!key) throw new Error('a lease was granted without a period')
      return key
    },

    /** Leases the keys of up to three periods in a row, and tells what is left of the day. */
    async leaseKeys(session: SessionClaims, sessionId: SessionId, run: NewLeases): Promise<Leases> {
      if (session.sessionId !== sessionId)
        throw new Problem('not-found', 'This token is of another listening session.')
      const now = clock()
      const { keys, limitMs, usedMs } = await lease(session, run, now)
      return {
        keys: keys.map((key, index) => ({ period: run.from + index, keyBase64: toBase64(key) })),
        quota: quotaOf(limitMs, usedMs, now),
      }
    },

    /** Notes how far the listener is, and renews the session's token. One statement. */
    async heartbeat(by: Reporter, sessionId: SessionId, positionS: number): Promise<Heartbeat> {
      const now = clock()
      const recorded = await record(by, { sessionId, positionS, isComplete: false, now })
      const { trackId, version, maxBitrate, durationS } = recorded
      const issued = await tokenFor(
        { sessionId, userId: by.userId, trackId, version, maxBitrate },
        durationS,
      )
      return {
        heardS: recorded.heardS,
        expiresAt: issued.expiresAt.toISOString(),
        token: issued.token,
        quota: quotaOf(recorded.limitMs, recorded.usedMs, now),
      }
    },

    /** Ends a session; the same again is the same answer. */
    async complete(by: Reporter, sessionId: SessionId, positionS: number): Promise<Completion> {
      const now = clock()
      const recorded = await record(by, { sessionId, positionS, isComplete: true, now })
      return {
        heardS: recorded.heardS,
        counted: recorded.counted,
        quota: quotaOf(recorded.limitMs, recorded.usedMs, now),
      }
    },

    /** Today's budget and what is left of it. */
    async quota(listener: AccessClaims): Promise<Quota> {
      const now = clock()
      const found = await listening.quota(listener, now)
      if (found.state !== 'live') throw refusal(found.state, now)
      return quotaOf(found.limitMs, found.usedMs, now)
    },
  }
}
