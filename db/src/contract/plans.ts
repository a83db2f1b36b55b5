import { z } from 'zod'

/** Key of a row of `plans`, which says what the plan allows. */
export const PlanId = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
export type PlanId = z.infer<typeof PlanId>

/** The plan of a new account, and the one by which visitors are offered renditions. */
export const DEFAULT_PLAN: PlanId = 'free'

export const Role = z.enum(['user', 'admin'])
export type Role = z.infer<typeof Role>

/** Seconds without a lease or a heartbeat after which a listening session is over. */
export const SESSION_IDLE_S = 1800

/**
 * A lease makes a session live longer only when no more than this is left, seconds: a player that
 * sends heartbeats does so anyway, and the row need not be written for each key.
 */
export const SESSION_RENEW_S = 1500

/** A play counts after this many seconds heard, or after half of a shorter track. */
export const PLAY_COUNTS_AFTER_S = 30
