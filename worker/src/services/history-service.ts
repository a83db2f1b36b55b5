import type { ListeningTotals, Play } from '../contract/listening.ts'
import type { Page, PageQuery } from '../contract/pages.ts'
import type { Clock } from '../platform/clock.ts'
import type { AccessClaims } from '../platform/tokens.ts'
import type { HistoryRepo } from '../repos/history-repo.ts'
import { refusal } from './listening-refusals.ts'
import { pageThrough } from './paging.ts'
import { presentTrack } from './track-service.ts'

/** What a listener has heard. */
export function makeHistoryService({ history, clock }: { history: HistoryRepo; clock: Clock }) {
  return {
    /** Plays that counted, the latest first. */
    list(listener: AccessClaims, query: PageQuery, mediaBase: string): Promise<Page<Play>> {
      return pageThrough(
        query,
        async (limit, after) => {
          const found = await history.list(listener, limit, after)
          if (found.state !== 'live') throw refusal(found.state, clock())
          return found.plays
        },
        (row) => ({ at: row.playCursorAt, id: row.sessionId }),
        (row) => ({
          sessionId: row.sessionId,
          track: presentTrack(row, mediaBase),
          startedAt: row.startedAt.toISOString(),
          heardS: row.heardS,
          completed: row.completed,
        }),
      )
    },

    /** How much a listener has heard, ever. */
    async totals(listener: AccessClaims): Promise<ListeningTotals> {
      const found = await history.totals(listener)
      if (found.state !== 'live') throw refusal(found.state, clock())
      return { plays: found.plays, completions: found.completions }
    },
  }
}
