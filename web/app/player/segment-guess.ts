import type { ListeningSession } from '../lib/api-types.ts'
import type { PlayableTrack } from './machine.ts'

type Named = Pick<PlayableTrack, 'id' | 'version'>

/**
 * Guesses where the first segment of a track is, so that it can travel while the session is being
 * asked for. Segment URLs differ only by track and version; the first session shows the pattern.
 */
export function makeSegmentGuess() {
  let pattern: string | null = null
  return {
    /** Learns the pattern from the lightest rendition of a session's playlists. */
    learn({ id, version }: Named, { hls }: Pick<ListeningSession, 'hls'>): void {
      const lightest = Object.entries(hls.playlists).find(([url]) => url !== hls.masterUrl)
      if (!lightest) return
      const [playlistUrl, text] = lightest
      const line = text.split(/\r?\n/).find((each) => each !== '' && !each.startsWith('#'))
      const segment = `/${id}/${version}/`
      if (!line || !line.includes(segment)) return
      const base = new URL(playlistUrl, globalThis.location?.href ?? 'http://localhost')
      pattern = new URL(line, base).href.replace(segment, '/{id}/{version}/')
    },
    /** URL of the first segment of the lightest rendition, or null before anything was learned. */
    firstSegment({ id, version }: Named): string | null {
      return pattern?.replace('{id}', id).replace('{version}', String(version)) ?? null
    },
  }
}
