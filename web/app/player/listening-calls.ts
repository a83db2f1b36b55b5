import { read } from '../lib/api.ts'
import type { Api } from '../lib/api.ts'
import type { LeaseRun } from './lease-plan.ts'

/** What opens a session's keys. */
export type SessionAccess = { id: string; token: string }

/** The calls that the player makes; its tests answer them themselves. */
export type ListeningCalls = ReturnType<typeof makeListeningCalls>

export function makeListeningCalls({ listeningSessions }: Api) {
  const { index, ':id': session } = listeningSessions
  return {
    /** @param hls whether the HLS playlists and init segments are wanted with the session */
    startListening: (trackId: string, positionS: number, hls: boolean) =>
      read(index.$post({ json: { trackId, positionS, hls } })),
    /**
     * Leases the keys of a run of periods; the same again costs nothing. Fewer come where the day or the
     * pace ends, but at least one.
     */
    lease: ({ id, token }: SessionAccess, run: LeaseRun, signal: AbortSignal) =>
      read(
        session.leases.$post(
          { param: { id }, json: run },
          { headers: { authorization: `Bearer ${token}` }, init: { signal } },
        ),
      ),
    heartbeat: (id: string, positionS: number) =>
      read(session.heartbeat.$post({ param: { id }, json: { positionS } })),
    completeListening: (id: string, positionS: number) =>
      read(session.complete.$post({ param: { id }, json: { positionS } })),
  }
}
