import { type FamilyId, Plan, SessionId, TrackId, type UserId } from '@mist/db/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Keyset } from '../contract/pages.ts'
import type { Ask, Database } from '../platform/database.ts'
import { type AuthSession, AuthSessionState, authSessionState } from './auth-session-state.ts'
import {
  answerOf,
  type AsOf,
  at,
  Base64,
  Big,
  boundedNow,
  exactInstant,
  Instant,
  onlyRow,
  rowOf,
  rowsOf,
} from './rows.ts'
import { IS_PUBLIC, TRACK_COLUMNS, TrackRow } from './track-repo.ts'

const usage = { limit_ms: Big.nullable(), used_ms: Big }

/** One rendition, as much of it as playlists need. */
export const Rendition = z.object({
  name: z.string(),
  bitrate: z.int(),
  peakBandwidth: z.int(),
  averageBandwidth: z.int(),
  codecs: z.string(),
  ivSeed: Base64,
})
export type Rendition = z.infer<typeof Rendition>

const timing = {
  sample_rate: z.int(),
  sample_count: Big,
  priming_samples: z.int(),
}

type TimingRow = z.infer<z.ZodObject<typeof timing>>

const toTiming = (row: TimingRow) => ({
  sampleRate: row.sample_rate,
  sampleCount: row.sample_count,
  primingSamples: row.priming_samples,
})

const StartedRow = z
  .object({
    outcome: z.enum(['started', 'resumed']),
    session_id: SessionId,
    version: z.int(),
    plan: Plan,
    period: z.int(),
    renditions: z.array(Rendition.extend({ init: z.string() })).nullable(),
    position_s: z.number(),
    ...timing,
    ...usage,
  })
  .transform((row) => ({
    outcome: row.outcome,
    sessionId: row.session_id,
    version: row.version,
    plan: row.plan,
    period: row.period,
    renditions: row.renditions,
    positionS: row.position_s,
    timing: toTiming(row),
    limitMs: row.limit_ms,
    usedMs: row.used_ms,
  }))

const NotStartedRow = z
  .object({
    outcome: z.enum([
      'not-found',
      'not-ready',
      'signed-out',
      'blocked',
      'exhausted',
      'too-early',
      'superseded',
      'ended',
      'wrong-track',
      'no-period',
      'no-session',
    ]),
    retry_after_s: z.number().nullable(),
  })
  .transform((row) => ({ outcome: row.outcome, retryAfterS: row.retry_after_s ?? 0 }))

const UnopenedRow = z.object({
  outcome: z.literal('unopened'),
  version: z.int(),
  kid: z.string(),
  wrapped: z.string(),
})

const RefusedLeaseRow = z
  .object({
    outcome: z.enum([
      'no-session',
      'signed-out',
      'blocked',
      'superseded',
      'ended',
      'wrong-track',
      'no-period',
      'exhausted',
      'too-early',
    ]),
    retry_after_s: z.number().nullable(),
  })
  .transform((row) => ({ outcome: row.outcome, retryAfterS: row.retry_after_s ?? 0 }))

type Lease = { outcome: 'granted' } | z.infer<typeof RefusedLeaseRow>

const GRANTED: Lease = { outcome: 'granted' }

/** Whether a lease was granted: what nearly all are, so known without a schema. */
const isGranted = (answer: unknown): boolean =>
  typeof answer === 'object' &&
  answer !== null &&
  'outcome' in answer &&
  answer.outcome === 'granted'

const KeyRow = z.object({ kid: z.string(), wrapped: z.string() })

const ListenedRow = z.union([
  z
    .object({
      outcome: z.literal('recorded'),
      track_id: TrackId,
      version: z.int(),
      heard_s: z.number(),
      counted: z.boolean(),
      duration_s: z.number(),
      plan: Plan,
      limit_ms: Big.nullable(),
      used_ms: Big,
    })
    .transform((row) => ({
      outcome: row.outcome,
      trackId: row.track_id,
      version: row.version,
      heardS: row.heard_s,
      counted: row.counted,
      durationS: row.duration_s,
      plan: row.plan,
      limitMs: row.limit_ms,
      usedMs: row.used_ms,
    })),
  z.object({
    outcome: z.enum([
      'no-session',
      'blocked',
      'signed-out',
      'superseded',
      'ended',
      'beyond-track',
      'not-leased',
    ]),
  }),
])

/** Of an auth session that is not live: a row that tells no more than that. */
const NotLiveRow = z.object({ state: AuthSessionState.exclude(['live']) })

const LIVE = { state: z.literal('live') }

const QuotaRow = z.union([
  z
    .object({ ...LIVE, ...usage })
    .transform((row) => ({ state: row.state, limitMs: row.limit_ms, usedMs: row.used_ms })),
  NotLiveRow,
])

const TotalsRow = z.union([z.object({ ...LIVE, plays: Big, completions: Big }), NotLiveRow])

const MediaRow = z
  .object({ version: z.int(), renditions: z.array(Rendition).nullable(), ...timing })
  .transform((row) => ({
    version: row.version,
    renditions: row.renditions ?? [],
    timing: toTiming(row),
  }))

const PlayRow = z.union([
  z.intersection(
    TrackRow,
    z.object({
      session_id: SessionId,
      started_at: Instant,
      heard_s: z.number(),
      completed: z.boolean(),
      play_cursor_at: z.string(),
    }),
  ),
  // No play: the outer join's row of nulls, which tells whether the auth session is live.
  z.object({ session_id: z.null(), state: AuthSessionState }),
])

export type StartRequest = {
  /** Versions of the track whose master keys are open. */
  opened: number[]
  newSessionId: SessionId
  userId: UserId
  familyId: FamilyId
  trackId: TrackId
  positionS: number
  now: Date
  withRenditions: boolean
}

/** How far the listener of a session has come. */
export type Report = {
  sessionId: SessionId
  userId: UserId
  positionS: number
  isComplete: boolean
  now: Date
}

/** The meter. Each method is one statement; the rules live in the SQL functions. */
export function makeListeningRepo({ db, ask, asOf }: { db: Database; ask: Ask; asOf: AsOf }) {
  // A machine's clock is not asked at all where the statement is written out: the database's own costs
  // less than to hold the other against it.
  const isOwn = asOf === boundedNow
  const timeAt = (parameter: number) => (isOwn ? 'clock_timestamp()' : `$${parameter}`)
  const timeOf = (now: Date) => (isOwn ? [] : [now.toISOString()])
  const lease = `select lease_key_period($1, $2, $3, $4, $5, ${timeAt(6)}, false) as answer`

  return {
    /**
     * Starts or resumes a session and leases its first period; see `start_listening_session`. Where
     * that needs a key that is not among `opened`, it does nothing and answers with that key.
     */
    start: (request: StartRequest) =>
      answerOf(
        ask,
        z.union([StartedRow, UnopenedRow, NotStartedRow]),
        `start_listening_session_if_opened($1, $2, $3, $4, $5, $6, ${timeAt(8)}, $7)`,
        [
          `{${request.opened.join()}}`,
          request.newSessionId,
          request.userId,
          request.familyId,
          request.trackId,
          request.positionS,
          request.withRenditions,
          ...timeOf(request.now),
        ],
      ),

    /** The wrapped master key of one version; null when it is gone. */
    wrappedKey: (trackId: TrackId, version: number) =>
      rowOf(
        db,
        KeyRow,
        sql`select kid, wrapped::text from track_keys
            where track_id = ${trackId} and version = ${version}`,
      ),

    /** Leases the key of one period; see `lease_key_period`. The key itself is known by then. */
    async lease(
      session: { sessionId: SessionId; userId: UserId; trackId: TrackId; version: number },
      period: number,
      now: Date,
    ): Promise<Lease> {
      const answer = await ask(lease, [
        session.sessionId,
        session.userId,
        session.trackId,
        session.version,
        period,
        ...timeOf(now),
      ])
      return isGranted(answer) ? GRANTED : RefusedLeaseRow.parse(answer)
    },

    /** Records a position, or the end, as the listening session's own token asks; see `record_listening`. */
    record: ({ sessionId, userId, positionS, isComplete, now }: Report) =>
      answerOf(ask, ListenedRow, `to_json(record_listening($1, $2, $3, $4, ${timeAt(5)}))`, [
        sessionId,
        userId,
        positionS,
        isComplete,
        ...timeOf(now),
      ]),

    /** The same as an auth session asks, which must be live: the answer holds a new session token. */
    async recordFor(
      who: AuthSession,
      { sessionId, positionS, isComplete, now }: Omit<Report, 'userId'>,
    ) {
      const { answer } = await onlyRow(
        db,
        z.object({ answer: ListenedRow }),
        sql`select case
              when s.state <> 'live' then json_build_object('outcome', s.state)
              else to_json(record_listening(
                ${sessionId}, ${who.userId}, ${positionS}, ${isComplete}, ${asOf(now)}))
            end as answer
            from (${authSessionState(who)}) s`,
      )
      return answer
    },

    /** Today's limit (null: none) and use, for an auth session that is live. */
    quota(who: AuthSession, now: Date) {
      return onlyRow(
        db,
        QuotaRow,
        sql`select s.state, daily_ms(m.plan, m.daily_limit_s) as limit_ms,
                   meter_used_ms(m, ${asOf(now)}) as used_ms
            from (${authSessionState(who)}) s left join meters m on m.user_id = ${who.userId}`,
      )
    },

    /** Timing and renditions of one version of a track that is not deleted; null: the current one. */
    media(trackId: TrackId, version: number | null) {
      return rowOf(
        db,
        MediaRow,
        sql`select m.version, m.sample_rate, m.sample_count, m.priming_samples,
                   m.padding_samples, (
                     select jsonb_agg(jsonb_build_object(
                       'name', r.name, 'bitrate', r.bitrate, 'peakBandwidth', r.peak_bandwidth,
                       'averageBandwidth', r.average_bandwidth, 'codecs', r.codecs,
                       'ivSeed', encode(r.iv_seed, 'base64')) order by r.bitrate)
                     from renditions r where r.track_id = m.track_id and r.version = m.version
                   ) as renditions
            from tracks t join track_versions m
              on m.track_id = t.id and m.version = coalesce(${version}::integer, t.version)
            where t.id = ${trackId} and ${IS_PUBLIC} and m.status in ('published', 'retired')`,
      )
    },

    /**
     * Plays that counted, the latest first, after `after`, for an auth session that is live. Plays
     * of deleted tracks are left out.
     */
    async history(who: AuthSession, limit: number, after: Keyset | null) {
      const rest = after
        ? sql`and (h.started_at, h.session_id) < (${after.at}::timestamptz, ${after.id}::uuid)`
        : sql``
      const rows = await rowsOf(
        db,
        PlayRow,
        sql`select s.state, play.* from (${authSessionState(who)}) s left join lateral (
              select ${TRACK_COLUMNS}, h.session_id, h.started_at, h.heard_s, h.completed,
                     ${exactInstant(sql`h.started_at`)} as play_cursor_at
              from play_history h join tracks t on t.id = h.track_id
              where s.state = 'live' and h.user_id = ${who.userId} and ${IS_PUBLIC} ${rest}
              order by h.started_at desc, h.session_id desc limit ${limit}
            ) play on true
            order by play.started_at desc, play.session_id desc`,
      )
      const plays = []
      for (const row of rows) {
        if (row.session_id !== null)
          plays.push({
            track: row,
            sessionId: row.session_id,
            startedAt: row.started_at,
            heardS: row.heard_s,
            completed: row.completed,
            cursorAt: row.play_cursor_at,
          })
        else if (row.state !== 'live') return { state: row.state }
      }
      return { state: 'live' as const, plays }
    },

    /** How many plays counted, and how many reached the end, for an auth session that is live. */
    totals(who: AuthSession) {
      return onlyRow(
        db,
        TotalsRow,
        sql`select s.state, coalesce(n.plays, 0) as plays, coalesce(n.completions, 0) as completions
            from (${authSessionState(who)}) s left join user_totals n on n.user_id = ${who.userId}`,
      )
    },

    /** Ends sessions that nobody used for a while; answers with how many. */
    async endStale(now: Date): Promise<number> {
      const { rowCount } = await db.execute(sql`
        update listening_sessions set ended_at = ${at(now)}, end_reason = 'expired'
        where ended_at is null and expires_at <= ${at(now)}`)
      return rowCount
    },
  }
}

export type ListeningRepo = ReturnType<typeof makeListeningRepo>
