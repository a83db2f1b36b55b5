import {
  derivePeriodKey,
  type MasterKey,
  type MediaTiming,
  newId,
  nextReset,
  type Plan,
  PLANS,
  type ProblemCode,
  quotaOf,
  type Quota,
  SessionId,
  type TrackId,
} from '@mist/db/contract'
import type {
  Completion,
  Heartbeat,
  ListeningSession,
  ListeningTotals,
  NewListeningSession,
  Play,
} from '../contract/listening.ts'
import type { Page, PageQuery } from '../contract/pages.ts'
import type { Clock } from '../platform/clock.ts'
import type { AccessClaims, SessionClaims, Tokens } from '../platform/tokens.ts'
import { Problem, Unavailable } from '../problem.ts'
import type { ListeningRepo, Rendition, Report, StartRequest } from '../repos/listening-repo.ts'
import type { MasterKeys } from './master-keys.ts'
import { pageThrough } from './paging.ts'
import {
  initUrl,
  keyUrl,
  masterPlaylist,
  masterUrl,
  mediaPlaylist,
  type PlaylistUrls,
  renditionUrl,
  segmentDurations,
} from './playlists.ts'
import { presentTrack } from './track-service.ts'

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

/** Where absolute URLs start, and what media keys are appended to. */
export type Origins = { origin: string; mediaBase: string }

/** Path of the API on its origin. */
export const API_BASE = '/api/v1'

/** What the meter's refusals are called outside, and what to do about them. */
const REFUSALS = {
  'no-session': ['not-found', 'There is no such listening session.'],
  'not-found': ['not-found', 'There is no such track.'],
  'not-ready': ['track-not-ready', 'The track is still being prepared. Try again soon.'],
  'signed-out': ['signed-out', 'This sign-in has ended. Sign in again.'],
  blocked: ['account-blocked', 'This account is blocked. Ask the people who run this service.'],
  superseded: ['superseded', 'Another device plays with this account. Start here to take over.'],
  ended: ['session-ended', 'Start a new listening session to go on.'],
  'wrong-track': ['wrong-track', 'This session opens the keys of another track.'],
  'no-period': ['not-found', 'The track has no such key period.'],
  exhausted: ['quota-exhausted', 'It returns at midnight UTC. Premium has no daily limit.'],
  'too-early': ['too-early', 'Keys are given at the pace of listening. Wait a moment.'],
  'beyond-track': ['invalid-position', 'The position lies beyond the end of the track.'],
  'not-leased': ['invalid-position', 'The position lies beyond what this session has opened.'],
} as const satisfies Record<string, readonly [ProblemCode, string]>

function refusal(outcome: keyof typeof REFUSALS, now: Date, retryAfterS = 0): Problem {
  const [code, detail] = REFUSALS[outcome]
  if (outcome === 'too-early') return new Problem(code, detail, { retryAfterS })
  if (outcome === 'exhausted')
    return new Problem(code, detail, {
      retryAfterS: (nextReset(now).getTime() - now.getTime()) / 1000,
    })
  return new Problem(code, detail)
}

const mayHear = (maxBitrate: number | null) => (rendition: { bitrate: number }) =>
  maxBitrate === null || rendition.bitrate <= maxBitrate

const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))

/** The renditions that a plan hears. */
function offered<R extends Rendition>(renditions: R[], maxBitrate: number | null): R[] {
  const heard = renditions.filter(mayHear(maxBitrate))
  // A ladder that starts above the plan still plays: its lowest rung is for everybody.
  return heard.length > 0 ? heard : renditions.slice(0, 1)
}

/** All playlists and init segments of a track, by their absolute URLs. */
function filesOf(
  track: { trackId: TrackId; version: number; timing: MediaTiming },
  renditions: (Rendition & { init: string })[],
  urls: PlaylistUrls,
  absolute: (url: string) => string,
): ListeningSession['hls'] {
  const master = absolute(masterUrl(track, urls))
  const durations = segmentDurations(track.timing)
  const playlists = { [master]: masterPlaylist(track, renditions, urls) }
  const inits: Record<string, string> = {}
  for (const rendition of renditions) {
    playlists[absolute(renditionUrl(track, rendition.name, urls))] = mediaPlaylist(
      track,
      rendition,
      urls,
      durations,
    )
    inits[absolute(initUrl(track, rendition.name, urls))] = rendition.init
  }
  return { masterUrl: master, playlists, inits }
}

/** Who reports a position: the token of the session itself, or its listener's access token. */
export type Reporter = AccessClaims | SessionClaims

/** Listening: sessions, keys, positions, playlists. */
export function makeListeningService({
  listening,
  tokens,
  masterKeys,
  clock,
}: {
  listening: ListeningRepo
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
      throw new Unavailable('the track was replaced while its key was being opened')
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
    const wrapped = await listening.wrappedKey(trackId, version)
    // A version's key goes with the version.
    if (!wrapped) throw refusal('ended', clock())
    return masterKeys.open(wrapped, trackId, version)
  }

  async function record(by: Reporter, report: Omit<Report, 'userId'>) {
    const heard =
      'familyId' in by
        ? await listening.recordFor(by, report)
        : await listening.record({ ...report, userId: by.userId })
    if (heard.outcome !== 'recorded') throw refusal(heard.outcome, report.now)
    return heard
  }

  function tokenFor(claims: Omit<SessionClaims, 'maxBitrate'>, plan: Plan, durationS: number) {
    return tokens.issueSession(
      { ...claims, maxBitrate: PLANS[plan].maxBitrate },
      sessionTokenLifetimeS(durationS),
    )
  }

  return {
    /**
     * Starts a listening session, or resumes the one that this sign-in has on the track, and tells
     * all that a player needs before its first segment.
     */
    async start(
      who: AccessClaims,
      { trackId, positionS, hls }: NewListeningSession,
      { origin, mediaBase }: Origins,
    ): Promise<{ isResumed: boolean; session: ListeningSession }> {
      const now = clock()
      const { started, masterKey } = await startOpened({
        newSessionId: newId(SessionId, now.getTime()),
        userId: who.userId,
        familyId: who.familyId,
        trackId,
        positionS,
        now,
        withRenditions: hls,
      })

      const { sessionId, version, timing, plan, period } = started
      const durationS = timing.sampleCount / timing.sampleRate
      const [key, issued] = await Promise.all([
        derivePeriodKey(masterKey, trackId, version, period),
        tokenFor({ sessionId, userId: who.userId, trackId, version }, plan, durationS),
      ])

      const track = { trackId, version, timing }
      const urls: PlaylistUrls = { apiBase: API_BASE, mediaBase, token: null }
      const absolute = (url: string) => new URL(url, origin).toString()
      const renditions = started.renditions && offered(started.renditions, PLANS[plan].maxBitrate)
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
     * Leases the key of one period: 16 bytes. One statement, where the track's master key was
     * opened here lately.
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
      const masterKey = await masterKeyOf(session)
      const [lease, key] = await Promise.all([
        listening.lease(session, period, now),
        // Derived while the meter decides; nobody gets it unless the meter grants it.
        derivePeriodKey(masterKey, session.trackId, version, period),
      ])
      if (lease.outcome === 'no-session') throw refusal('ended', now)
      if (lease.outcome !== 'granted') throw refusal(lease.outcome, now, lease.retryAfterS)
      return key
    },

    /** Notes how far the listener is, and renews the session's token. One statement. */
    async heartbeat(by: Reporter, sessionId: SessionId, positionS: number): Promise<Heartbeat> {
      const now = clock()
      const heard = await record(by, { sessionId, positionS, isComplete: false, now })
      const { trackId, version, plan, durationS } = heard
      const issued = await tokenFor(
        { sessionId, userId: by.userId, trackId, version },
        plan,
        durationS,
      )
      return {
        heardS: heard.heardS,
        expiresAt: issued.expiresAt.toISOString(),
        token: issued.token,
        quota: quotaOf(heard.limitMs, heard.usedMs, now),
      }
    },

    /** Ends a session; the same again is the same answer. */
    async complete(by: Reporter, sessionId: SessionId, positionS: number): Promise<Completion> {
      const now = clock()
      const heard = await record(by, { sessionId, positionS, isComplete: true, now })
      return {
        heardS: heard.heardS,
        counted: heard.counted,
        quota: quotaOf(heard.limitMs, heard.usedMs, now),
      }
    },

    /** Today's budget and what is left of it. */
    async quota(who: AccessClaims): Promise<Quota> {
      const now = clock()
      const found = await listening.quota(who, now)
      if (found.state !== 'live') throw refusal(found.state, now)
      return quotaOf(found.limitMs, found.usedMs, now)
    },

    /**
     * The master playlist, for players that fetch it themselves. Without a session it offers what
     * the free plan hears; with one, the session's version and plan.
     */
    async masterPlaylist(
      trackId: TrackId,
      version: number | null,
      session: { token: string; claims: SessionClaims } | null,
      mediaBase: string,
    ): Promise<string> {
      const media = await listening.media(trackId, version ?? session?.claims.version ?? null)
      if (!media) throw refusal('not-found', clock())
      const maxBitrate = session ? session.claims.maxBitrate : PLANS.free.maxBitrate
      return masterPlaylist({ trackId, ...media }, offered(media.renditions, maxBitrate), {
        apiBase: API_BASE,
        mediaBase,
        token: session?.token ?? null,
      })
    },

    /** The playlist of one rendition. */
    async mediaPlaylist(
      trackId: TrackId,
      version: number | null,
      name: string,
      session: { token: string; claims: SessionClaims } | null,
      mediaBase: string,
    ): Promise<string> {
      const media = await listening.media(trackId, version ?? session?.claims.version ?? null)
      const maxBitrate = session ? session.claims.maxBitrate : PLANS.free.maxBitrate
      const rendition = media && offered(media.renditions, maxBitrate).find((r) => r.name === name)
      if (!rendition) throw new Problem('not-found', 'The track has no such rendition.')
      return mediaPlaylist({ trackId, ...media }, rendition, {
        apiBase: API_BASE,
        mediaBase,
        token: session?.token ?? null,
      })
    },

    /** Plays that counted, the latest first. */
    history(who: AccessClaims, query: PageQuery, mediaBase: string): Promise<Page<Play>> {
      return pageThrough(
        query,
        async (limit, after) => {
          const found = await listening.history(who, limit, after)
          if (found.state !== 'live') throw refusal(found.state, clock())
          return found.plays
        },
        (row) => ({ at: row.cursorAt, id: row.sessionId }),
        (row) => ({
          sessionId: row.sessionId,
          track: presentTrack(row.track, mediaBase),
          startedAt: row.startedAt.toISOString(),
          heardS: row.heardS,
          completed: row.completed,
        }),
      )
    },

    /** How much a listener has heard, ever. */
    async totals(who: AccessClaims): Promise<ListeningTotals> {
      const found = await listening.totals(who)
      if (found.state !== 'live') throw refusal(found.state, clock())
      return { plays: found.plays, completions: found.completions }
    },
  }
}
