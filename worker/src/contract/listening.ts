import { LEASE_MAX_PERIODS, Quota, SessionId, TrackId } from '@mist/db/contract'
import { z } from 'zod'
import { Track } from './tracks.ts'

export const QuotaShape = Quota.meta({ id: 'Quota' })

/** Longer than any track, seconds. */
const BEYOND_TRACKS_S = 1_000_000_000

/**
 * A position in a track, to the millisecond: JSON has no NaN and no Infinity, but it has numbers like
 * 5e-324, with which Postgres refuses to reckon.
 */
const PositionS = z
  .number()
  .min(0, 'A position is a number of seconds from 0 on.')
  .overwrite((positionS) => Math.round(Math.min(positionS, BEYOND_TRACKS_S) * 1000) / 1000)

export const NewListeningSession = z
  .object({
    trackId: TrackId,
    /** Where play starts, seconds; decides which key comes first. */
    positionS: PositionS.max(1_000_000).default(0),
    /** Whether playlists and init segments are wanted; a player that has them is answered sooner. */
    hls: z.boolean().default(true),
  })
  .meta({ id: 'NewListeningSession' })
export type NewListeningSession = z.infer<typeof NewListeningSession>

/** All that a player needs before the first segment, so that only that one is fetched. */
export const ListeningSession = z
  .object({
    id: SessionId,
    /** Opens the session's keys; short-lived, renewed by each heartbeat. */
    token: z.string(),
    /** When the token ends. */
    expiresAt: z.iso.datetime(),
    quota: QuotaShape,
    /** null when it was not wanted. */
    hls: z
      .object({
        masterUrl: z.url(),
        /** URL → text of the master and of each rendition's playlist. */
        playlists: z.record(z.string(), z.string()),
        /** URL → base64 of each rendition's init segment. */
        inits: z.record(z.string(), z.string()),
      })
      .nullable(),
    firstKey: z.object({ url: z.url(), keyBase64: z.base64() }),
    durationS: z.number(),
    /** Furthest position reported in this session; 0 for a new one. */
    positionS: z.number(),
  })
  .meta({ id: 'ListeningSession' })
export type ListeningSession = z.infer<typeof ListeningSession>

/** A run of key periods. */
export const NewLeases = z
  .object({
    /** The first one, zero-based. */
    from: z.int().min(0).max(2_147_483_647),
    count: z.int().min(1).max(LEASE_MAX_PERIODS),
  })
  .meta({ id: 'NewLeases' })
export type NewLeases = z.infer<typeof NewLeases>

export const Leases = z
  .object({
    /** Those that the day and the pace allow and the track has, in a row from the first: at least that one. */
    keys: z.array(z.object({ period: z.int(), keyBase64: z.base64() })),
    quota: QuotaShape,
  })
  .meta({ id: 'Leases' })
export type Leases = z.infer<typeof Leases>

export const Position = z.object({ positionS: PositionS }).meta({ id: 'Position' })

export const Heartbeat = z
  .object({
    heardS: z.number(),
    expiresAt: z.iso.datetime(),
    token: z.string(),
    quota: QuotaShape,
  })
  .meta({ id: 'Heartbeat' })
export type Heartbeat = z.infer<typeof Heartbeat>

export const Completion = z
  .object({ heardS: z.number(), counted: z.boolean(), quota: QuotaShape })
  .meta({ id: 'Completion' })
export type Completion = z.infer<typeof Completion>

/** One play that counted. */
export const Play = z
  .object({
    sessionId: SessionId,
    track: Track,
    startedAt: z.iso.datetime(),
    heardS: z.number(),
    completed: z.boolean(),
  })
  .meta({ id: 'Play' })
export type Play = z.infer<typeof Play>

export const ListeningTotals = z
  .object({ plays: z.int(), completions: z.int() })
  .meta({ id: 'ListeningTotals' })
export type ListeningTotals = z.infer<typeof ListeningTotals>
