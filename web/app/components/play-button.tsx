import { useRouteLoaderData } from '@remix-run/react'
import { Pause, Play } from 'lucide-react'
import { useCallback, useEffect, useRef } from 'react'
import type { RootData } from '../lib/root-data.ts'
import type { PlayableTrack } from '../player/machine.ts'
import { currentTrack, isPlayRequested } from '../player/machine.ts'
import { preload, dispatch, usePlayer } from '../player/store.ts'
import type { PreloadTrigger } from '../player/store.ts'

/** A track counts as hovered after this long, so that sweeping over a grid prepares nothing. */
const HOVER_DELAY_MS = 80

/** Plays a track and queues the list around it; pauses it if it is playing. */
export function PlayButton({
  tracks,
  index,
  className,
  label,
}: {
  tracks: readonly PlayableTrack[]
  index: number
  className: string
  /** Text beside the icon; hidden from screen readers, which get the button's name. */
  label?: string
}) {
  const track = tracks[index]
  const isCurrent = usePlayer((state) => currentTrack(state)?.id === track?.id)
  const isPlaying = usePlayer((state) => isCurrent && isPlayRequested(state))
  // Visitors cannot play, so nothing is prepared for them.
  const isListener = Boolean(useRouteLoaderData<RootData>('root')?.user)
  const hoverTimer = useRef<ReturnType<typeof setTimeout>>()
  const prepare = useCallback(
    (trigger: PreloadTrigger) => {
      if (track && isListener) preload(track, trigger)
    },
    [track, isListener],
  )
  useEffect(() => {
    if (index === 0) prepare('listed')
    return () => clearTimeout(hoverTimer.current)
  }, [prepare, index])
  if (!track) return null
  return (
    <button
      type="button"
      onPointerEnter={() => {
        hoverTimer.current = setTimeout(() => prepare('hovered'), HOVER_DELAY_MS)
      }}
      onPointerDown={() => prepare('pressed')}
      onPointerLeave={() => clearTimeout(hoverTimer.current)}
      onFocus={({ currentTarget }) => {
        // Not the focus that comes with a press, which is too late.
        if (currentTarget.matches(':focus-visible')) prepare('hovered')
      }}
      className={className}
      data-playing={isPlaying}
      aria-label={`${isPlaying ? 'Pause' : 'Play'} ${track.title}`}
      onClick={() => {
        dispatch(isCurrent ? { type: 'toggle' } : { type: 'play-tracks', tracks, index })
      }}
    >
      {isPlaying ? (
        <Pause className="size-5 fill-current" aria-hidden="true" />
      ) : (
        <Play className="size-5 translate-x-px fill-current" aria-hidden="true" />
      )}
      {label ? <span aria-hidden="true">{isPlaying ? 'Pause' : label}</span> : null}
    </button>
  )
}
