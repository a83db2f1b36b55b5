import type { Hls } from '../lib/api-types.ts'
import type { PlayableTrack } from './machine.ts'

type Named = Pick<PlayableTrack, 'id' | 'version'>

/** The first line of a playlist that is not a tag: a rendition's playlist, or a segment. */
function firstUri(playlist: string, base: string): string | null {
  const line = playlist.split(/\r?\n/).find((each) => each.trim() !== '' && !each.startsWith('#'))
  return line === undefined ? null : new URL(line.trim(), base).href
}

/**
 * Guesses where the first segment of a track is, so that it can travel while the session is being
 * asked for. Segment URLs differ only by track and version: one playlist shows the pattern.
 */
export function makeSegmentGuess() {
  let pattern: string | null = null
  let isScouting = false

  function learn({ id, version }: Named, playlist: string, playlistUrl: string): void {
    const segment = firstUri(playlist, playlistUrl)
    const named = `/${id}/${version}/`
    if (segment?.includes(named)) pattern = segment.replace(named, '/{id}/{version}/')
  }

  return {
    /** Learns from what came with a session; its renditions are in order, the lightest first. */
    learn(track: Named, { masterUrl, playlists }: Pick<Hls, 'masterUrl' | 'playlists'>): void {
      const master = playlists[masterUrl]
      const lightest = master === undefined ? null : firstUri(master, masterUrl)
      const text = lightest === null ? undefined : playlists[lightest]
      if (lightest !== null && text !== undefined) learn(track, text, lightest)
    },
    /** Learns from the public playlists of a track. A track that has none teaches nothing. */
    async scout(track: Named, origin: string, fetch: typeof globalThis.fetch): Promise<void> {
      if (isScouting || pattern !== null) return
      isScouting = true
      try {
        const masterUrl = `${origin}/api/v1/tracks/${track.id}/hls/master.m3u8`
        const master = await fetch(masterUrl, { credentials: 'omit' })
        const lightest = master.ok ? firstUri(await master.text(), masterUrl) : null
        const playlist = lightest === null ? null : await fetch(lightest, { credentials: 'omit' })
        if (lightest !== null && playlist?.ok) learn(track, await playlist.text(), lightest)
      } catch {
        // A guess is only ever a head start.
      } finally {
        isScouting = false
      }
    },
    /** URL of the first segment of the lightest rendition, or null before anything was learned. */
    firstSegment({ id, version }: Named): string | null {
      return pattern?.replace('{id}', id).replace('{version}', String(version)) ?? null
    },
  }
}
