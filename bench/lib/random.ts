/** A seeded source of randomness: the same seed always makes the same catalogue and the same queries. */
export type Random = {
  /** 0 … 1, without 1. */
  next: () => number
  /** A whole number of 0 … `end` − 1. */
  below: (end: number) => number
  chance: (share: number) => boolean
  pick: <T>(items: readonly T[]) => T
  /** Like `pick`, but the first items come most often, as words do in a language. */
  pickEarly: <T>(items: readonly T[]) => T
}

/** mulberry32 by Tommy Ettinger. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    below: (end) => Math.floor(next() * end),
    chance: (share) => next() < share,
    pick: (items) => at(items, next()),
    pickEarly: (items) => at(items, next() ** 1.5),
  }
}

function at<T>(items: readonly T[], share: number): T {
  const item = items[Math.floor(items.length * share)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}
