import { playHistory, tracks, userTotals } from '@mist/db/schema'
import { and, desc, eq, sql } from 'drizzle-orm'
import type { Keyset } from '../contract/pages.ts'
import type { Database } from '../platform/database.ts'
import { type AuthSessionRef, authSessionState, STATE } from './auth-session-state.ts'
import { exactInstant, isAfter, latestFirst } from './rows.ts'
import { IS_PUBLIC, TRACK } from './track-repo.ts'

/** What a listener has heard, for an auth session that is live. Each method is one statement. */
export function makeHistoryRepo({ db }: { db: Database }) {
  return {
    /** Plays that counted, the latest first, after `after`; those of deleted tracks are left out. */
    async list(session: AuthSessionRef, limit: number, after: Keyset | null) {
      const play = db
        .select({
          ...TRACK,
          sessionId: playHistory.sessionId,
          startedAt: playHistory.startedAt,
          heardS: playHistory.heardS,
          completed: playHistory.completed,
          playCursorAt: exactInstant(playHistory.startedAt).as('play_cursor_at'),
        })
        .from(playHistory)
        .innerJoin(tracks, eq(tracks.id, playHistory.trackId))
        .where(
          and(
            sql`${STATE} = 'live'`,
            eq(playHistory.userId, session.userId),
            IS_PUBLIC,
            isAfter(playHistory.startedAt, playHistory.sessionId, after),
          ),
        )
        .orderBy(...latestFirst(playHistory.startedAt, playHistory.sessionId))
        .limit(limit)
        .as('play')
      const rows = await db
        .select({ state: STATE, play: play._.selectedFields })
        .from(sql`(${authSessionState(session)}) s`)
        .leftJoinLateral(play, sql`true`)
        .orderBy(desc(play.startedAt), desc(play.sessionId))
      const state = rows[0]?.state ?? 'signed-out'
      if (state !== 'live') return { state }
      return { state, plays: rows.flatMap((row) => row.play ?? []) }
    },

    /** How many plays counted, and how many reached the end. */
    async totals(session: AuthSessionRef) {
      const [row] = await db
        .select({
          state: STATE,
          plays: sql`coalesce(${userTotals.plays}, 0)`.mapWith(Number),
          completions: sql`coalesce(${userTotals.completions}, 0)`.mapWith(Number),
        })
        .from(sql`(${authSessionState(session)}) s`)
        .leftJoin(userTotals, eq(userTotals.userId, session.userId))
      return row ?? { state: 'signed-out' as const }
    },
  }
}

export type HistoryRepo = ReturnType<typeof makeHistoryRepo>
