import type { Hls } from '../lib/api-types.ts'
import type { PlayableTrack } from './machine.ts'

type TrackVersion = Pick<PlayableTrack, 'id' | 'version'>

/** The first URI of an HLS playlist: a rendition's playlist, or a segment. */
function firstUri(playlist: string, base: string): string | null {
  const line = playlist.split(/\r?\n/).find((each) => each.trim() !== '' && !each.startsWith('#'))
  return line === undefined ? null : new URL(line.trim(), base).href
}

/**
 * Predicts the URL of a track's first segment, so that it can be fetched while the session is still
 * starting. Segment URLs differ only by track and version, so one HLS playlist shows the pattern.
 */
export function makeSegmentUrls() {
  let pattern: string | null = null
  let isLearning = false

  function learnPattern(
    { id, version }: TrackVersion,
    playlist: string,
    playlistUrl: string,
  ): void {
    const segment = firstUri(playlist, playlistUrl)
    const folder = `/${id}/${version}/`
    if (segment?.includes(folder)) pattern = segment.replace(folder, '/{id}/{version}/')
  }

  return {
    /** Learns the pattern from a session's HLS playlists; the lightest rendition comes first. */
    learn(
      track: TrackVersion,
      { masterUrl, playlists }: Pick<Hls, 'masterUrl' | 'playlists'>,
    ): void {
      const master = playlists[masterUrl]
      const lightest = master === undefined ? null : firstUri(master, masterUrl)
      const text = lightest === null ? undefined : playlists[lightest]
      if (lightest !== null && text !== undefined) learnPattern(track, text, lightest)
    },
    /** Learns the pattern from a track's public HLS playlists, if it has any. */
    async learnFromPlaylists(
      track: TrackVersion,
      origin: string,
      fetch: typeof globalThis.fetch,
    ): Promise<void> {
      if (isLearning || pattern !== null) return
      isLearning = true
      try {
        const masterUrl = `${origin}/api/v1/tracks/${track.id}/hls/master.m3u8`
        const master = await fetch(masterUrl, { credentials: 'omit' })
        const lightest = master.ok ? firstUri(await master.text(), masterUrl) : null
        const playlist = lightest === null ? null : await fetch(lightest, { credentials: 'omit' })
        if (lightest !== null && playlist?.ok) learnPattern(track, await playlist.text(), lightest)
      } catch {
        // Without the pattern the first segment is only fetched a little later.
      } finally {
        isLearning = false
      }
    },
    /** URL of the first segment of the lightest rendition; null while the pattern is unknown. */
    firstOf({ id, version }: TrackVersion): string | null {
      return pattern?.replace('{id}', id).replace('{version}', String(version)) ?? null
    },
  }
}
