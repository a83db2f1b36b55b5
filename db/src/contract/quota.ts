import { z } from 'zod'

/** Today's listening budget, as every answer that mentions it spells it. Seconds; UTC day. */
export const Quota = z.object({
  limitS: z.number().nonnegative().nullable(),
  usedS: z.number().nonnegative(),
  remainingS: z.number().nonnegative().nullable(),
  unlimited: z.boolean(),
  resetsAt: z.iso.datetime(),
})
export type Quota = z.infer<typeof Quota>

/** The UTC day that `now` falls on, as `YYYY-MM-DD`. */
export function utcDay(now: Date): string {
  return now.toISOString().slice(0, 10)
}

/** The instant at which the budget of `now`'s day ends: the next midnight UTC. */
export function nextReset(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1))
}

/**
 * Tells the quota from what the database knows. An unlimited listener has `limitS` and
 * `remainingS` null.
 */
export function quotaOf(limitMs: number | null, usedMs: number, now: Date): Quota {
  return {
    limitS: limitMs === null ? null : limitMs / 1000,
    usedS: usedMs / 1000,
    remainingS: limitMs === null ? null : Math.max(0, limitMs - usedMs) / 1000,
    unlimited: limitMs === null,
    resetsAt: nextReset(now).toISOString(),
  }
}
