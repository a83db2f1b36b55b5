import { periodAt } from './key-periods.ts'
import type { KeyPeriod } from './key-periods.ts'

/** Key periods in a row, by the number of the first. */
export type LeaseRun = { from: number; count: number }

/** Most periods that the API leases at once. */
const MOST_PERIODS = 3

/**
 * Who has played this much without a move stays: from then on a run of keys holds as much. It is what
 * the API's longest run opens, so a track that is heard through is leased in two requests more than in
 * runs alone. Seconds.
 */
const STAY_S = 12

/**
 * An edge of a period is at most this far from where the browser has it: decoders and playlists reckon
 * the encoder's delay differently. Seconds.
 */
const EDGE_S = 0.1

/**
 * Just behind a segment, hls.js goes on waiting for it instead of loading the one that is sought
 * (`maxFragLookUpTolerance`, 0.25 s, and the edge). Seconds.
 */
const BEHIND_S = 0.3

/** So a seek into a period that is to be paid lands clear of that. Seconds. */
const LANDING_S = 0.35

/** Longest period that a seek may go back to the start of. Seconds. */
const LONGEST_REWIND_S = 5

export type LeaseState = {
  periods: readonly KeyPeriod[]
  hasKey: (period: KeyPeriod) => boolean
  /** Whether the deck waits for this key. */
  isWanted: (period: KeyPeriod) => boolean
  positionS: number
  /** Where the listener started, or went to last. */
  landedS: number
  /** How long before its first second is heard a lease is due, for one who may still leave. */
  leadS: number
  /** The same for one who stays. */
  stayingLeadS: number
}

/** Index of the first period at or behind `from` whose key is missing; null if there is none. */
function firstMissing({ periods, hasKey }: LeaseState, from: number): number | null {
  for (let index = from; index < periods.length; index++) {
    const period = periods[index]
    if (period && !hasKey(period)) return index
  }
  return null
}

/** Seconds of music behind `positionS` that have their keys, without a gap. */
export function keyedAheadS(state: Pick<LeaseState, 'periods' | 'hasKey'>, positionS: number) {
  const { periods, hasKey } = state
  let endS = positionS
  for (const period of periods.slice(Math.max(0, periodAt(periods, positionS)))) {
    if (!hasKey(period)) break
    endS = period.endS
  }
  return Math.max(0, endS - positionS)
}

/**
 * What to lease next, and in how many seconds of play it is due: one period where the listener has
 * landed, one at a time while they look around, and runs once they stay. Null where all that lies ahead
 * is paid for.
 */
export function nextLease(state: LeaseState): { run: LeaseRun; inS: number } | null {
  const { periods, hasKey, isWanted, positionS, landedS, leadS, stayingLeadS } = state
  const here = periodAt(periods, positionS)
  // Also a neighbour that the deck takes for the one at this position.
  const stuck = periods
    .slice(Math.max(0, here - 1), here + 2)
    .find(
      (period) =>
        !hasKey(period) &&
        isWanted(period) &&
        positionS > period.startS - EDGE_S &&
        positionS < period.endS + BEHIND_S,
    )
  const current = periods[here]
  const due = current && !hasKey(current) ? current : stuck
  if (due) return { run: { from: due.number, count: 1 }, inS: 0 }

  const index = firstMissing(state, here + 1)
  const next = index === null ? undefined : periods[index]
  const first = periods[0]
  if (index === null || !next || !first) return null
  const isStaying = next.startS - landedS > STAY_S - 2 * EDGE_S
  let count = 1
  if (isStaying) {
    const most = Math.min(MOST_PERIODS, Math.round(STAY_S / (first.endS - first.startS)))
    for (let more = periods[index + count]; count < most && more && !hasKey(more);) {
      count += 1
      more = periods[index + count]
    }
  }
  const lead = isStaying ? stayingLeadS : leadS
  return {
    run: { from: next.number, count },
    inS: Math.max(0, next.startS - positionS - lead),
  }
}

/**
 * Where a seek to `positionS` lands. A period is paid for whole, so one that is not yet is heard from its
 * start, as video players go back to a key frame: a few seconds early, instead of a charge for music that
 * is skipped. What is paid for, or shares its key with more than a segment, is sought exactly.
 */
export function landingOf(
  { periods, hasKey }: Pick<LeaseState, 'periods' | 'hasKey'>,
  positionS: number,
): number {
  const period = periods[periodAt(periods, positionS)]
  if (!period || hasKey(period)) return positionS
  const lengthS = period.endS - period.startS
  if (lengthS > LONGEST_REWIND_S || lengthS < 2 * LANDING_S) return positionS
  return period.startS === 0 ? 0 : period.startS + LANDING_S
}
