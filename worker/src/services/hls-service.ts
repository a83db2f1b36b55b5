import type { TrackId } from '@mist/db/contract'
import { API_BASE } from '../api-base.ts'
import type { ListeningSession } from '../contract/listening.ts'
import type { SessionClaims } from '../platform/tokens.ts'
import { Problem } from '../problem.ts'
import type { MediaRepo, Rendition } from '../repos/media-repo.ts'
import {
  type HlsTrack,
  type HlsUrls,
  initUrl,
  masterPlaylist,
  masterUrl,
  mediaPlaylist,
  renditionUrl,
  segmentDurations,
} from './hls-playlists.ts'

const mayHear = (maxBitrate: number | null) => (rendition: { bitrate: number }) =>
  maxBitrate === null || rendition.bitrate <= maxBitrate

/** The renditions that a plan includes. */
export function offered<R extends { bitrate: number }>(
  renditions: R[],
  maxBitrate: number | null,
): R[] {
  const heard = renditions.filter(mayHear(maxBitrate))
  // A ladder that starts above the plan still plays: its lowest rung is for everybody.
  return heard.length > 0 ? heard : renditions.slice(0, 1)
}

/** All playlists and init segments of a track, by their absolute URLs. */
export function filesOf(
  track: HlsTrack,
  renditions: (Rendition & { init: string })[],
  urls: HlsUrls,
  absolute: (url: string) => string,
): ListeningSession['hls'] {
  const master = absolute(masterUrl(track, urls))
  const durations = segmentDurations(track.timing)
  const playlists = { [master]: masterPlaylist(track, renditions, urls) }
  const inits: Record<string, string> = {}
  for (const rendition of renditions) {
    playlists[absolute(renditionUrl(track, rendition.name, urls))] = mediaPlaylist(
      track,
      rendition,
      urls,
      durations,
    )
    inits[absolute(initUrl(track, rendition.name, urls))] = rendition.init
  }
  return { masterUrl: master, playlists, inits }
}

/** HLS playlists for players that fetch them themselves. */
export function makeHlsService({ media }: { media: MediaRepo }) {
  return {
    /**
     * The master playlist. Without a session it offers what a new account hears; with one, the
     * session's version and plan.
     */
    async masterPlaylist(
      trackId: TrackId,
      version: number | null,
      session: { token: string; claims: SessionClaims } | null,
      mediaBase: string,
    ): Promise<string> {
      const found = await media.find(trackId, version ?? session?.claims.version ?? null)
      if (!found) throw new Problem('not-found', 'There is no such track.')
      const maxBitrate = session ? session.claims.maxBitrate : found.visitorMaxBitrate
      return masterPlaylist({ trackId, ...found }, offered(found.renditions, maxBitrate), {
        apiBase: API_BASE,
        mediaBase,
        token: session?.token ?? null,
      })
    },

    /** The playlist of one rendition. */
    async mediaPlaylist(
      trackId: TrackId,
      version: number | null,
      name: string,
      session: { token: string; claims: SessionClaims } | null,
      mediaBase: string,
    ): Promise<string> {
      const found = await media.find(trackId, version ?? session?.claims.version ?? null)
      if (!found) throw new Problem('not-found', 'There is no such track.')
      const maxBitrate = session ? session.claims.maxBitrate : found.visitorMaxBitrate
      const rendition = offered(found.renditions, maxBitrate).find((r) => r.name === name)
      if (!rendition) throw new Problem('not-found', 'The track has no such rendition.')
      return mediaPlaylist({ trackId, ...found }, rendition, {
        apiBase: API_BASE,
        mediaBase,
        token: session?.token ?? null,
      })
    },
  }
}
