import { Link } from '@remix-run/react'
import {
  LoaderCircle,
  Pause,
  Play,
  SkipBack,
  SkipForward,
  Volume1,
  Volume2,
  VolumeX,
} from 'lucide-react'
import { useRef } from 'react'
import { formatDuration, formatClock } from '../lib/format.ts'
import { currentTrack, isPlayRequested } from '../player/machine.ts'
import { dispatch, usePlayer } from '../player/store.ts'
import { usePlayerEngine } from '../player/use-player-engine.ts'
import { Cover } from './cover.tsx'
import { PlayerNotice } from './player-notice.tsx'
import { SeekBar, VolumeBar } from './sliders.tsx'

function PlayToggle() {
  const isPlaying = usePlayer(isPlayRequested)
  const isWaiting = usePlayer(({ phase }) => phase.kind === 'starting' || phase.kind === 'stalled')
  const isEmpty = usePlayer(({ phase }) => phase.kind === 'empty')
  return (
    <button
      type="button"
      disabled={isEmpty}
      aria-label={isPlaying ? 'Pause' : 'Play'}
      onClick={() => dispatch({ type: 'toggle' })}
      className="relative grid size-12 shrink-0 place-items-center rounded-full bg-fog text-night transition hover:bg-white disabled:bg-edge disabled:text-dim"
    >
      {isPlaying ? (
        <Pause className="size-5 fill-current" aria-hidden="true" />
      ) : (
        <Play className="size-5 translate-x-px fill-current" aria-hidden="true" />
      )}
      {isWaiting ? (
        <LoaderCircle
          className="absolute -inset-1 size-14 animate-spin text-lamp [animation-delay:400ms]"
          strokeWidth={1}
          aria-hidden="true"
        />
      ) : null}
    </button>
  )
}

function Transport() {
  const hasTrack = usePlayer(({ phase }) => phase.kind !== 'empty')
  const hasNext = usePlayer(({ queue, index }) => index + 1 < queue.length)
  return (
    <div className="flex items-center justify-center gap-1">
      <button
        type="button"
        className="icon-button max-sm:hidden"
        aria-label="Previous track"
        disabled={!hasTrack}
        onClick={() => dispatch({ type: 'previous' })}
      >
        <SkipBack className="size-5 fill-current" aria-hidden="true" />
      </button>
      <PlayToggle />
      <button
        type="button"
        className="icon-button"
        aria-label="Next track"
        disabled={!hasNext}
        onClick={() => dispatch({ type: 'next' })}
      >
        <SkipForward className="size-5 fill-current" aria-hidden="true" />
      </button>
    </div>
  )
}

function NowPlaying() {
  const track = usePlayer(currentTrack)
  if (!track) {
    return (
      <p className="min-w-0 truncate text-sm text-dim">
        Nothing is playing.<span className="max-sm:hidden"> Choose a track.</span>
      </p>
    )
  }
  return (
    <div className="flex min-w-0 items-center gap-3">
      <Cover
        id={track.id}
        urls={track.coverUrls}
        sizes="3.25rem"
        isEager
        className="size-13 shrink-0 rounded-lg"
      />
      <div className="min-w-0">
        <Link
          to={`/tracks/${track.id}`}
          className="block truncate font-serif text-[0.95rem] leading-snug hover:underline"
        >
          {track.title}
        </Link>
        <p className="truncate text-sm text-haze">{track.artists}</p>
      </div>
    </div>
  )
}

function Times() {
  const position = usePlayer(({ positionS }) => Math.floor(positionS))
  const duration = usePlayer(({ durationS }) => durationS)
  const isEmpty = usePlayer(({ phase }) => phase.kind === 'empty')
  if (isEmpty) return null
  return (
    <p className="shrink-0 text-xs text-dim tabular-nums">
      <span data-testid="position">{formatClock(position)}</span>
      <span aria-hidden="true"> / </span>
      <span className="sr-only"> of </span>
      {formatClock(duration)}
    </p>
  )
}

function QuotaLeft() {
  const leftS = usePlayer(({ quota }) => quota?.remainingS ?? null)
  if (leftS === null) return null
  return (
    <Link
      to="/account"
      className={`shrink-0 text-xs tabular-nums hover:text-fog ${leftS <= 60 ? 'text-ember' : 'text-dim'}`}
    >
      {formatDuration(leftS)} left today
    </Link>
  )
}

function Volume() {
  const volume = usePlayer((state) => state.volume)
  const isMuted = usePlayer((state) => state.muted)
  const Icon = isMuted || volume === 0 ? VolumeX : volume < 0.5 ? Volume1 : Volume2
  return (
    <div className="hidden items-center md:flex">
      <button
        type="button"
        className="icon-button"
        aria-label="Mute"
        aria-pressed={isMuted}
        onClick={() => dispatch({ type: 'mute' })}
      >
        <Icon className="size-5" aria-hidden="true" />
      </button>
      <VolumeBar volume={isMuted ? 0 : volume} />
    </div>
  )
}

/** The player at the foot of every page. As part of the layout, it outlives navigation. */
export function PlayerBar({ userId }: { userId: string | null }) {
  const decks = useRef<[HTMLAudioElement | null, HTMLAudioElement | null]>([null, null])
  usePlayerEngine(decks, userId)
  return (
    <section
      aria-label="Player"
      className="fixed inset-x-0 bottom-0 z-30 border-t border-edge/80 bg-dusk/95 pb-[env(safe-area-inset-bottom)] backdrop-blur-lg"
    >
      <PlayerNotice />
      <div className="relative">
        <SeekBar />
        <div className="mx-auto grid max-w-6xl grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 px-4 pt-2 pb-2.5 sm:grid-cols-[minmax(0,1fr)_auto_minmax(0,1fr)] sm:px-8">
          <NowPlaying />
          <Transport />
          <div className="flex items-center justify-end gap-4 max-sm:col-span-2 max-sm:mt-1 max-sm:justify-between">
            <QuotaLeft />
            <Times />
            <Volume />
          </div>
        </div>
      </div>
      <audio
        ref={(element) => {
          decks.current[0] = element
        }}
        preload="none"
        data-deck="0"
      />
      <audio
        ref={(element) => {
          decks.current[1] = element
        }}
        preload="none"
        data-deck="1"
      />
    </section>
  )
}
