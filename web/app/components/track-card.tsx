import { Link } from '@remix-run/react'
import type { PlayableTrack } from '../player/machine.ts'
import { currentTrack } from '../player/machine.ts'
import { usePlayer } from '../player/store.ts'
import { Cover } from './cover.tsx'
import { PlayButton } from './play-button.tsx'

/** A track in a grid: cover, title, artists, and a button that plays the grid from here. */
export function TrackCard({
  tracks,
  index,
  isEager = false,
}: {
  tracks: readonly PlayableTrack[]
  index: number
  isEager?: boolean
}) {
  const track = tracks[index]
  const isCurrent = usePlayer((state) => currentTrack(state)?.id === track?.id)
  if (!track) return null
  return (
    <article className="group relative min-w-0">
      <div className="relative">
        <Cover
          id={track.id}
          urls={track.coverUrls}
          sizes="(min-width: 64rem) 13rem, (min-width: 40rem) 30vw, 45vw"
          isEager={isEager}
          className="rounded-xl shadow-lg ring-1 shadow-black/30 ring-white/5 transition-transform duration-300 group-hover:-translate-y-0.5"
        />
        <PlayButton
          tracks={tracks}
          index={index}
          className="absolute right-2.5 bottom-2.5 z-10 grid size-11 place-items-center rounded-full bg-lamp text-night shadow-lg shadow-black/40 transition hover:scale-105 hover:bg-[#ffcb7d] [@media(hover:hover)]:opacity-0 [@media(hover:hover)]:group-hover:opacity-100 focus-visible:opacity-100 data-[playing=true]:opacity-100"
        />
      </div>
      <h3 className="mt-3 truncate font-serif text-[1.05rem] leading-snug">
        <Link
          to={`/tracks/${track.id}`}
          prefetch="intent"
          title={track.title}
          className={`after:absolute after:inset-0 after:content-[''] hover:text-white ${isCurrent ? 'text-lamp' : ''}`}
        >
          {track.title}
        </Link>
      </h3>
      <p className="truncate text-sm text-haze">{track.artists}</p>
    </article>
  )
}
