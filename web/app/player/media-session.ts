import { currentTrack, isPlayRequested } from './machine.ts'
import type { PlayerEvent, PlayerState } from './machine.ts'

const ACTIONS: [MediaSessionAction, (details: MediaSessionActionDetails) => PlayerEvent | null][] =
  [
    ['play', () => ({ type: 'play' })],
    ['pause', () => ({ type: 'pause' })],
    ['previoustrack', () => ({ type: 'previous' })],
    ['nexttrack', () => ({ type: 'next' })],
    [
      'seekto',
      ({ seekTime }) => (seekTime === undefined ? null : { type: 'seek', positionS: seekTime }),
    ],
  ]

/**
 * Connects lock screens, headphones and media keys to the player.
 *
 * @returns the function that shows a new state there
 */
export function connectMediaSession(
  dispatch: (event: PlayerEvent) => void,
): (state: PlayerState) => void {
  if (!('mediaSession' in navigator)) return () => {}
  const session = navigator.mediaSession
  for (const [action, eventOf] of ACTIONS) {
    try {
      session.setActionHandler(action, (details) => {
        const event = eventOf(details)
        if (event) dispatch(event)
      })
    } catch {
      // The browser does not support this action.
    }
  }

  let shownId: string | null = null
  let shownAtS = -1
  return (state) => {
    const track = currentTrack(state)
    if (!track) return
    if (track.id !== shownId) {
      shownId = track.id
      const covers = Object.entries(track.coverUrls ?? {})
      session.metadata = new MediaMetadata({
        title: track.title,
        artist: track.artists,
        artwork: covers.map(([size, src]) => ({
          src,
          sizes: `${size}x${size}`,
          type: 'image/webp',
        })),
      })
    }
    session.playbackState = isPlayRequested(state) ? 'playing' : 'paused'
    if (state.durationS <= 0 || Math.abs(state.positionS - shownAtS) < 1) return
    shownAtS = state.positionS
    session.setPositionState({
      duration: state.durationS,
      position: Math.min(state.positionS, state.durationS),
      playbackRate: 1,
    })
  }
}
