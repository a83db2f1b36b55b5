import { useMemo } from 'react'
import type { Track } from '../lib/api-types.ts'
import { playable } from '../lib/tracks.ts'
import { TrackCard } from './track-card.tsx'

export const GRID =
  'grid grid-cols-2 gap-x-4 gap-y-7 sm:grid-cols-3 sm:gap-x-6 md:grid-cols-4 lg:grid-cols-5'

/** Tracks as cards; each plays the grid from there. */
export function TrackGrid({ tracks }: { tracks: readonly Track[] }) {
  const playables = useMemo(() => tracks.map(playable), [tracks])
  return (
    <ul className={`mt-5 ${GRID}`}>
      {playables.map(({ id }, index) => (
        <li key={id} className="min-w-0">
          <TrackCard tracks={playables} index={index} />
        </li>
      ))}
    </ul>
  )
}
