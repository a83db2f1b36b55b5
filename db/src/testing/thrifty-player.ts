import { SEGMENT_S } from '../contract/key-periods.ts'

/** A press of a button or of the seek bar, and for how long the listener then stays. */
export type Move = { track: number; positionS: number; staysS: number }

/** How long nothing must be pressed until something is leased, seconds. */
const SETTLE_S = 0.25
/** How long before it is needed the next period is leased, seconds. */
export const LEAD_S = 0.25
/** Single periods before the first run: who has stayed for so long is no longer skimming. */
const SINGLES = 3
const RUN = 3

/**
 * How a player leases that wastes as little as it can. A seek lands on the start of its segment, since what
 * lies before it there would be paid for unheard.
 *
 * @param lease leases periods of a track; `isMove` with the first after each move
 * @returns seconds heard
 */
export async function playThriftily(
  moves: Move[],
  durationS: number,
  lease: (
    track: number,
    from: number,
    count: number,
    atS: number,
    isMove: boolean,
  ) => Promise<void>,
): Promise<number> {
  let nowS = 0
  let heardS = 0
  for (const { track, positionS, staysS } of moves) {
    const startS = nowS + SETTLE_S
    const leavesS = nowS + staysS
    nowS = leavesS
    let next = Math.floor(positionS / SEGMENT_S)
    const fromS = next * SEGMENT_S
    for (let leases = 0; next * SEGMENT_S < durationS; leases++) {
      const dueS = leases === 0 ? startS : startS + next * SEGMENT_S - fromS - LEAD_S
      if (dueS >= leavesS) break
      const count = leases < SINGLES ? 1 : RUN
      await lease(track, next, count, dueS, leases === 0)
      next += count
    }
    const leasedS = Math.min(next * SEGMENT_S, durationS) - fromS
    heardS += Math.max(0, Math.min(leavesS - startS, leasedS))
  }
  return heardS
}
