import { currentTrack, isWanting } from './machine.ts'
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

/** Lets lock screens, headphones and media keys see and steer the player. */
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
      // This browser does not know the action.
    }
  }

  let shown: string | null = null
  let toldAtS = -1
  return (state) => {
    const track = currentTrack(state)
    if (!track) return
    if (track.id !== shown) {
      shown = track.id
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
    session.playbackState = isWanting(state) ? 'playing' : 'paused'
    if (state.durationS <= 0 || Math.abs(state.positionS - toldAtS) < 1) return
    toldAtS = state.positionS
    session.setPositionState({
      duration: state.durationS,
      position: Math.min(state.positionS, state.durationS),
      playbackRate: 1,
    })
  }
}
