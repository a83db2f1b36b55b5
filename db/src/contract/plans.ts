import { z } from 'zod'

/** Key of a row of `plans`, which says what the plan allows. */
export const PlanId = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
export type PlanId = z.infer<typeof PlanId>

/** The plan of a new account, and the one by which visitors are offered renditions. */
export const DEFAULT_PLAN: PlanId = 'free'

export const Plan = z.enum(['free', 'premium'])
export type Plan = z.infer<typeof Plan>

export const Role = z.enum(['user', 'admin'])
export type Role = z.infer<typeof Role>

/** Listening allowed per UTC day on the free plan: five minutes (product brief). */
export const FREE_DAILY_S = 300

export type PlanTerms = {
  /** Seconds of audio per UTC day; null is unlimited (still paced). */
  dailyS: number | null
  /** Live listening sessions at once; a new one beyond that supersedes the oldest. */
  sessions: number
  /** Depth of the pace bucket: seconds of audio that may be leased ahead of real time. */
  paceDepthS: number
  /** Refill of the pace bucket: seconds of audio per second of real time. */
  paceRate: number
  /** Highest rendition offered, bits per second; null is all. */
  maxBitrate: number | null
}

/**
 * What each plan allows. The pace guards against ripping: a player needs one second of audio per
 * second, and 1.25 leaves room for seeking. Premium has three times both, for three devices.
 */
export const PLANS: Record<Plan, PlanTerms> = {
  free: { dailyS: FREE_DAILY_S, sessions: 1, paceDepthS: 180, paceRate: 1.25, maxBitrate: 192_000 },
  premium: { dailyS: null, sessions: 3, paceDepthS: 540, paceRate: 3.75, maxBitrate: null },
}

/** Seconds without a lease or a heartbeat after which a listening session is over. */
export const SESSION_IDLE_S = 1800

/**
 * A lease makes a session live longer only when no more than this is left, seconds: a player that
 * sends heartbeats does so anyway, and the row need not be written for each key.
 */
export const SESSION_RENEW_S = 1500

/** A play counts after this many seconds heard, or after half of a shorter track. */
export const PLAY_COUNTS_AFTER_S = 30
