import { read } from '../lib/api.ts'
import type { Api } from '../lib/api.ts'

/** The calls that the player makes; its tests answer them themselves. */
export type ListeningCalls = ReturnType<typeof makeListeningCalls>

export function makeListeningCalls({ listeningSessions }: Api) {
  const { index, ':id': session } = listeningSessions
  return {
    /** @param hls whether the HLS playlists and init segments are wanted with the session */
    startListening: (trackId: string, positionS: number, hls: boolean) =>
      read(index.$post({ json: { trackId, positionS, hls } })),
    heartbeat: (id: string, positionS: number) =>
      read(session.heartbeat.$post({ param: { id }, json: { positionS } })),
    completeListening: (id: string, positionS: number) =>
      read(session.complete.$post({ param: { id }, json: { positionS } })),
  }
}
