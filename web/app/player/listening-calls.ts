import type { Quota } from '../lib/api-types.ts'
import { read } from '../lib/api.ts'
import type { Api } from '../lib/api.ts'
import { ApiRefusal, problemOfResponse } from '../lib/problem.ts'
import type { LeaseRun } from './lease-plan.ts'

/** What opens a session's keys. */
export type SessionAccess = { id: string; token: string }

/** As many keys in a row as were asked for, or fewer where the day or the pace ends; at least one. */
type Leased = { keys: { period: number; keyBase64: string }[]; quota: Quota }

/** The calls that the player makes; its tests answer them themselves. */
export type ListeningCalls = ReturnType<typeof makeListeningCalls>

export function makeListeningCalls(
  { listeningSessions }: Api,
  { fetch, origin }: { fetch: typeof globalThis.fetch; origin: string },
) {
  const { index, ':id': session } = listeningSessions
  return {
    /** @param hls whether the HLS playlists and init segments are wanted with the session */
    startListening: (trackId: string, positionS: number, hls: boolean) =>
      read(index.$post({ json: { trackId, positionS, hls } })),
    /** Leases the keys of a run of periods; the same again costs nothing. */
    lease: async (
      { id, token }: SessionAccess,
      run: LeaseRun,
      signal: AbortSignal,
    ): Promise<Leased> => {
      const response = await fetch(`${origin}/api/v1/listening-sessions/${id}/leases`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(run),
        cache: 'no-store',
        signal,
      })
      if (!response.ok) throw new ApiRefusal(await problemOfResponse(response))
      return response.json()
    },
    heartbeat: (id: string, positionS: number) =>
      read(session.heartbeat.$post({ param: { id }, json: { positionS } })),
    completeListening: (id: string, positionS: number) =>
      read(session.complete.$post({ param: { id }, json: { positionS } })),
  }
}
