import { type FamilyId, SessionId, TrackId, type UserId } from '@mist/db/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { JsonQuery, Database } from '../platform/database.ts'
import { type AuthSessionRef, authSessionState, LIVE, NotLiveRow } from './auth-session-state.ts'
import { Rendition, TIMING } from './media-repo.ts'
import {
  answerOf,
  type AsOf,
  at,
  Big,
  boundedNow,
  Hex,
  JsonRow,
  onlyRow,
  parseRow,
} from './rows.ts'

const usage = { limitMs: Big.nullable(), usedMs: Big }

const StartedRow = z
  .object({
    outcome: z.enum(['started', 'resumed']),
    sessionId: SessionId,
    version: z.int(),
    maxBitrate: z.int().nullable(),
    period: z.int(),
    segmentsPerPeriod: z.int(),
    renditions: z.array(Rendition.extend({ init: z.string() })).nullable(),
    positionS: z.number(),
    ...TIMING,
    ...usage,
  })
  .transform(({ sampleRate, sampleCount, primingSamples, ...row }) => ({
    ...row,
    timing: { sampleRate, sampleCount, primingSamples },
  }))

const retryAfterS = z
  .number()
  .nullable()
  .transform((seconds) => seconds ?? 0)

/** Why a lease is refused, at the start of a session or later. */
const LEASE_REFUSALS = [
  'no-session',
  'signed-out',
  'blocked',
  'superseded',
  'ended',
  'wrong-track',
  'no-period',
  'exhausted',
  'too-early',
] as const

const NotStartedRow = z.object({
  outcome: z.enum(['not-found', 'not-ready', ...LEASE_REFUSALS]),
  retryAfterS,
})

const UnopenedRow = z.object({
  outcome: z.literal('unopened'),
  version: z.int(),
  kid: z.string(),
  wrapped: Hex,
})

const RefusedLeaseRow = z.object({ outcome: z.enum(LEASE_REFUSALS), retryAfterS })

const LeaseRow = z.union([
  z.object({ outcome: z.literal('granted'), count: z.int(), ...usage }),
  RefusedLeaseRow,
])

const RecordedRow = z.union([
  z.object({
    outcome: z.literal('recorded'),
    trackId: TrackId,
    version: z.int(),
    heardS: z.number(),
    counted: z.boolean(),
    durationS: z.number(),
    maxBitrate: z.int().nullable(),
    ...usage,
  }),
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

const QuotaRow = z.union([z.object({ ...LIVE, ...usage }), NotLiveRow])

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
export function makeListeningRepo({
  db,
  queryJson,
  asOf,
}: {
  db: Database
  queryJson: JsonQuery
  asOf: AsOf
}) {
  // Where the statement is written out, the machine's clock is not used: the database's own costs less than
  // comparing the two.
  const isOwn = asOf === boundedNow
  const timeAt = (parameter: number) => (isOwn ? 'clock_timestamp()' : `$${parameter}`)
  const timeOf = (now: Date) => (isOwn ? [] : [now.toISOString()])
  return {
    /**
     * Starts or resumes a session and leases its first period; see `start_listening_session`. Where
     * that needs a key that is not among `opened`, it does nothing and answers with that key.
     */
    start: (request: StartRequest) =>
      answerOf(
        queryJson,
        z.union([StartedRow, UnopenedRow, NotStartedRow]),
        `start_session_if_opened($1, $2, $3, $4, $5, $6, ${timeAt(8)}, $7)`,
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

    /** Leases the keys of up to three periods in a row; see `lease_key_periods`. */
    lease: (
      session: { sessionId: SessionId; userId: UserId; trackId: TrackId; version: number },
      { from, count }: { from: number; count: number },
      now: Date,
    ) =>
      answerOf(queryJson, LeaseRow, `lease_key_periods($1, $2, $3, $4, $5, $6, ${timeAt(7)})`, [
        session.sessionId,
        session.userId,
        session.trackId,
        session.version,
        from,
        count,
        ...timeOf(now),
      ]),

    /** Records a position, or the end, as the listening session's own token asks; see `record_position`. */
    record: ({ sessionId, userId, positionS, isComplete, now }: Report) =>
      answerOf(queryJson, RecordedRow, `record_position($1, $2, $3, $4, ${timeAt(5)})`, [
        sessionId,
        userId,
        positionS,
        isComplete,
        ...timeOf(now),
      ]),

    /** The same as an auth session asks, which must be live: the answer holds a new session token. */
    async recordFor(
      session: AuthSessionRef,
      { sessionId, positionS, isComplete, now }: Omit<Report, 'userId'>,
    ) {
      const { answer } = await onlyRow(
        db,
        z.object({ answer: JsonRow }),
        sql`select case
              when s.state <> 'live' then json_build_object('outcome', s.state)
              else record_position(
                ${sessionId}, ${session.userId}, ${positionS}, ${isComplete}, ${asOf(now)})
            end as answer
            from (${authSessionState(session)}) s`,
      )
      return parseRow(RecordedRow, answer)
    },

    /** Today's limit (null: none) and use, for an auth session that is live. */
    quota(session: AuthSessionRef, now: Date) {
      return onlyRow(
        db,
        QuotaRow,
        sql`select s.state, m.limit_ms, meter_used_ms(m, ${asOf(now)}) as used_ms
            from (${authSessionState(session)}) s left join meters m on m.user_id = ${session.userId}`,
      )
    },

    /** Ends sessions that have expired; answers with how many. */
    async endStale(now: Date): Promise<number> {
      const { rowCount } = await db.execute(sql`
        update listening_sessions set ended_at = ${at(now)}, end_reason = 'expired'
        where ended_at is null and expires_at <= ${at(now)}`)
      return rowCount
    },
  }
}

export type ListeningRepo = ReturnType<typeof makeListeningRepo>
