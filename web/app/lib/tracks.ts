import type { PlayableTrack } from '../player/machine.ts'
import type { Track } from './api-types.ts'

/** The artists of a track in one line. */
export function artistLine(track: Pick<Track, 'artists'>): string {
  return track.artists.map(({ name }) => name).join(', ') || 'Unknown artist'
}

/** What the player needs of a track. */
export function playable(track: Track): PlayableTrack {
  const { id, title, durationS, version, coverUrls } = track
  return { id, title, artists: artistLine(track), durationS, version, coverUrls }
}
