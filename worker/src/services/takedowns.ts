import type { TrackId } from '@mist/db/contract'
import type { Log } from '../platform/log.ts'
import type { TakedownRepo } from '../repos/takedown-repo.ts'

/** After so long the list is asked for again, beside an answer that does not wait for it. */
const REFRESH_MS = 2000

/** Older than this the list is not trusted: the answer waits for a new one. */
const TRUSTED_MS = 4000

/** Longer than the edge keeps an object: a takedown is known as long as anything can still be cached. */
const WINDOW_MS = 26 * 3600 * 1000

/** Asked for twice, for a transaction may be seen later than the instant that it bears. */
const OVERLAP_MS = 60_000

/** A database that is unavailable is not asked again for so long. */
const UNAVAILABLE_MS = 1000

type Requested = { trackId: TrackId; version: number; isCover: boolean }
export type Takedowns = ReturnType<typeof makeTakedowns>

/**
 * What was taken down lately, known to one isolate: one statement every two seconds, whatever is
 * asked for. While the database is unavailable the last list counts; no key can be leased then anyway.
 */
export function makeTakedowns({
  takedowns,
  now,
  log,
}: {
  takedowns: TakedownRepo
  /** Milliseconds since 1970. */
  now: () => number
  log: Log
}) {
  /** `track`, `track/version`, `track/version/cover` → when it may be forgotten. */
  const gone = new Map<string, number>()
  /** Milliseconds since 1970, by the database's clock; null before the first list. */
  let seenUntil: number | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  /** When a question beside an answer was begun. */
  let refreshedAt = Number.NEGATIVE_INFINITY

  async function ask(): Promise<void> {
    const startedAt = now()
    try {
      const since = seenUntil === null ? null : seenUntil - OVERLAP_MS
      const { at, items } = await takedowns.since(since, WINDOW_MS)
      for (const { trackId, version, withCover } of items) {
        const name = version === null ? trackId : `${trackId}/${version}`
        gone.set(name, startedAt + WINDOW_MS)
        if (version !== null && withCover) gone.set(`${name}/cover`, startedAt + WINDOW_MS)
      }
      for (const [name, until] of gone) if (until <= startedAt) gone.delete(name)
      seenUntil = Math.max(at, seenUntil ?? 0)
      askedAt = startedAt
    } catch (error) {
      log.warn('takedowns-unknown', { reason: String(error) })
      askedAt = Math.max(askedAt, startedAt - TRUSTED_MS + UNAVAILABLE_MS)
    }
  }

  return {
    /** Whether an object was taken down, up to four seconds ago. */
    async has(
      { trackId, version, isCover }: Requested,
      later: (work: Promise<unknown>) => void,
    ): Promise<boolean> {
      const asOf = now()
      const ageMs = asOf - askedAt
      // Each request asks for itself: what one request waits for must not hang on another's.
      if (ageMs >= TRUSTED_MS || ageMs < 0) await ask()
      else if (ageMs >= REFRESH_MS && Math.abs(asOf - refreshedAt) >= UNAVAILABLE_MS) {
        refreshedAt = asOf
        later(ask())
      }
      const name = `${trackId}/${version}`
      return gone.has(trackId) || gone.has(isCover ? `${name}/cover` : name)
    },
  }
}
