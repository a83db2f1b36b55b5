import { periodChargeMs, periodCount, type MediaTiming } from '../contract/key-periods.ts'
import { DEFAULT_PLAN, SESSION_IDLE_S, SESSION_RENEW_S, type PlanId } from '../contract/plans.ts'
import { utcDay } from '../contract/quota.ts'
import { plans } from '../schema/plans.ts'
import type { AnyDatabase } from './factories.ts'

type PlanTerms = typeof plans.$inferSelect

/** The plans as the database has them, by their ids. */
export async function readPlans(db: AnyDatabase): Promise<Map<PlanId, PlanTerms>> {
  const rows = await db.select().from(plans)
  return new Map(rows.map((row) => [row.id, row]))
}

/** A track of the model. */
export type ModelTrack = { timing: MediaTiming; segmentsPerPeriod: number }

type ModelSession = {
  id: number
  family: number
  track: number
  endReason: 'superseded' | 'expired' | 'completed' | 'signed-out' | null
  expiresAtMs: number
  leased: Set<number>
}

export type ModelOutcome = { outcome: string; session?: number; count?: number; usedMs?: number }

/**
 * What the meter should do, said a second time and as plainly as possible: one listener, in memory,
 * no concurrency. Property tests hold the SQL functions against it.
 */
export function makeMeterModel(
  tracks: ModelTrack[],
  plansById: Map<PlanId, PlanTerms>,
  startMs: number,
  dailyLimitS: number | null = null,
) {
  const termsOf = (id: PlanId): PlanTerms => plansById.get(id)!
  let plan = termsOf(DEFAULT_PLAN)
  let nowMs = startMs
  let levelMs = Number.POSITIVE_INFINITY
  let levelAtMs = startMs
  const usedMs = new Map<string, number>()
  const sessions: ModelSession[] = []
  const signedOut = new Set<number>()

  const today = () => utcDay(new Date(nowMs))
  const used = () => usedMs.get(today()) ?? 0
  const isLive = (session: ModelSession) =>
    session.endReason === null && session.expiresAtMs > nowMs
  const level = () => {
    return Math.min(plan.paceDepthMs, levelMs + (nowMs - levelAtMs) * plan.paceRate)
  }

  /** Pays for a period, or says why not. */
  function pay(chargeMs: number): 'paid' | 'exhausted' | 'too-early' {
    const limitMs = dailyLimitS === null ? plan.dailyMs : dailyLimitS * 1000
    if (limitMs !== null && used() >= limitMs) return 'exhausted'
    if (level() < chargeMs) return 'too-early'
    levelMs = level() - chargeMs
    levelAtMs = nowMs
    usedMs.set(today(), used() + chargeMs)
    return 'paid'
  }

  function lease(id: number, from: number, count = 1): ModelOutcome {
    const session = sessions[id]!
    const { timing, segmentsPerPeriod } = tracks[session.track]!
    if (session.endReason === 'signed-out' || session.endReason === 'superseded')
      return { outcome: session.endReason }
    if (!isLive(session)) return { outcome: 'ended' }
    const end = periodCount(timing, segmentsPerPeriod)
    if (from < 0 || from >= end) return { outcome: 'no-period' }
    let granted = 0
    for (let period = from; period < Math.min(from + count, end); period++) {
      if (!session.leased.has(period)) {
        const paid = pay(periodChargeMs(timing, period, segmentsPerPeriod))
        if (paid !== 'paid' && granted === 0) return { outcome: paid }
        if (paid !== 'paid') break
        session.leased.add(period)
        if (session.expiresAtMs <= nowMs + SESSION_RENEW_S * 1000)
          session.expiresAtMs = nowMs + SESSION_IDLE_S * 1000
      }
      granted++
    }
    return { outcome: 'granted', count: granted, usedMs: used() }
  }

  return {
    lease,
    start(family: number, track: number): ModelOutcome {
      if (signedOut.has(family)) return { outcome: 'signed-out' }
      const live = sessions.findLast(
        (session) => isLive(session) && session.family === family && session.track === track,
      )
      if (live) {
        live.expiresAtMs = nowMs + SESSION_IDLE_S * 1000
        return { outcome: 'resumed', session: live.id, usedMs: used() }
      }
      const { timing, segmentsPerPeriod } = tracks[track]!
      const paid = pay(periodChargeMs(timing, 0, segmentsPerPeriod))
      if (paid !== 'paid') return { outcome: paid }
      const newestFirst = sessions.filter(isLive).toReversed()
      const own = newestFirst.find((session) => session.family === family)
      const others = new Set(
        newestFirst.map((each) => each.family).filter((each) => each !== family),
      )
      const devices = [...others].slice(0, plan.devices - 1)
      const keep = new Set(newestFirst.filter((each) => devices.includes(each.family)))
      if (own) keep.add(own)
      for (const session of sessions) {
        if (session.endReason === null && !keep.has(session)) {
          session.endReason = isLive(session) ? 'superseded' : 'expired'
        }
      }
      const id = sessions.length
      sessions.push({
        id,
        family,
        track,
        endReason: null,
        expiresAtMs: nowMs + SESSION_IDLE_S * 1000,
        leased: new Set([0]),
      })
      return { outcome: 'started', session: id, usedMs: used() }
    },
    complete(id: number): void {
      const session = sessions[id]!
      if (isLive(session)) session.endReason = 'completed'
    },
    heartbeat(id: number): void {
      const session = sessions[id]!
      if (isLive(session)) session.expiresAtMs = nowMs + SESSION_IDLE_S * 1000
    },
    signOut(family: number): void {
      signedOut.add(family)
      for (const session of sessions) {
        if (session.family === family) session.endReason ??= 'signed-out'
      }
    },
    setTerms(id: PlanId, terms: Partial<PlanTerms>): void {
      const changed = { ...termsOf(id), ...terms }
      plansById.set(id, changed)
      if (plan.id === id) plan = changed
    },
    setPlan(next: PlanId): void {
      plan = termsOf(next)
    },
    pass(ms: number): void {
      nowMs += ms
    },
    now: () => new Date(nowMs),
    usedMs: used,
    usedByDay: () => usedMs,
    sessions: () => sessions,
  }
}

export type MeterModel = ReturnType<typeof makeMeterModel>
