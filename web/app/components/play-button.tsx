import { useRouteLoaderData } from '@remix-run/react'
import { Pause, Play } from 'lucide-react'
import { useCallback, useEffect, useRef } from 'react'
import type { RootData } from '../lib/root-data.ts'
import type { PlayableTrack } from '../player/machine.ts'
import { currentTrack, isWanting } from '../player/machine.ts'
import { anticipate, dispatch, usePlayer } from '../player/store.ts'
import type { Likelihood } from '../player/store.ts'

/** A pointer that stays for so long means it; one that sweeps over a grid does not. */
const POINTED_AFTER_MS = 80

/** Plays a track as part of the list it stands in, or pauses it where it plays already. */
export function PlayButton({
  tracks,
  index,
  className,
  label,
}: {
  tracks: readonly PlayableTrack[]
  index: number
  className: string
  /** Words beside the sign; only for the eye, the name of the button says it all. */
  label?: string
}) {
  const track = tracks[index]
  const isCurrent = usePlayer((state) => currentTrack(state)?.id === track?.id)
  const isPlaying = usePlayer((state) => isCurrent && isWanting(state))
  // Who is not signed in is asked to when something is pressed; there is nothing to prepare.
  const isListener = Boolean(useRouteLoaderData<RootData>('root')?.user)
  const pointing = useRef<ReturnType<typeof setTimeout>>()
  const prepare = useCallback(
    (likelihood: Likelihood) => {
      if (track && isListener) anticipate(track, likelihood)
    },
    [track, isListener],
  )
  useEffect(() => {
    if (index === 0) prepare('offered')
    return () => clearTimeout(pointing.current)
  }, [prepare, index])
  if (!track) return null
  return (
    <button
      type="button"
      onPointerEnter={() => {
        pointing.current = setTimeout(() => prepare('pointed-at'), POINTED_AFTER_MS)
      }}
      onPointerDown={() => prepare('pressed')}
      onPointerLeave={() => clearTimeout(pointing.current)}
      onFocus={({ currentTarget }) => {
        // Not the focus that comes with a press: that is too late to prepare.
        if (currentTarget.matches(':focus-visible')) prepare('pointed-at')
      }}
      className={className}
      data-playing={isPlaying}
      aria-label={`${isPlaying ? 'Pause' : 'Play'} ${track.title}`}
      onClick={() => {
        dispatch(isCurrent ? { type: 'toggle' } : { type: 'play-list', tracks, index })
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
