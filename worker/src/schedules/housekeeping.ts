import type { Deps } from '../deps.ts'

const DAY_MS = 24 * 3600 * 1000

/** Uploads expired in one run, by one statement. */
const UPLOADS_PER_RUN = 200

/** How long ended sessions are kept: long enough to look into a complaint. */
const KEEP_DAYS = 7

/** Used refresh tokens are kept as long as a token can live, for only a known one shows reuse. */
const KEEP_USED_TOKENS_DAYS = 30

/** How long an account knows a network after the last login from there; half a year, for holiday homes. */
const KEEP_NETWORKS_DAYS = 180

/**
 * Runs every few minutes: ends what was left open and deletes what is no longer needed. Not where the clock
 * is wrong: a year ahead, every auth session would have expired.
 */
export async function housekeeping({ uploads, repos, clock, log }: Deps): Promise<void> {
  const now = clock()
  const secondsOff = await repos.housekeeping.secondsOff(now)
  if (secondsOff !== 0) {
    log.error('housekeeping', { skipped: 'the clock is wrong', secondsOff })
    return
  }
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const tasks: Record<string, () => Promise<number>> = {
    uploadsExpired: () => uploads.expire(UPLOADS_PER_RUN),
    sessionsEnded: () => repos.listening.endStale(now),
    sessionsDeleted: () => repos.housekeeping.deleteSessionsBefore(daysAgo(KEEP_DAYS)),
    tokensDeleted: () => repos.housekeeping.deleteUsedTokensBefore(daysAgo(KEEP_USED_TOKENS_DAYS)),
    guessLimitsDeleted: () => repos.housekeeping.deleteGuessLimitsBefore(daysAgo(1)),
    networksDeleted: () =>
      repos.housekeeping.deleteKnownNetworksBefore(daysAgo(KEEP_NETWORKS_DAYS)),
    familiesDeleted: () => repos.housekeeping.deleteFamiliesBefore(daysAgo(KEEP_DAYS)),
    searchPlaysCounted: () => repos.search.refreshPlays(),
  }
  const done: Record<string, number | string> = {}
  for (const [name, task] of Object.entries(tasks)) {
    try {
      done[name] = await task()
    } catch (error) {
      // One that fails must not keep the others from their turn; the next run tries again.
      done[name] = `failed: ${error instanceof Error ? error.name : 'unknown'}`
    }
  }
  log.info('housekeeping', done)
}
