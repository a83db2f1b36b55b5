import { Slider } from 'radix-ui'
import { useRef, useState } from 'react'
import { formatSpoken } from '../lib/format.ts'
import { dispatch, usePlayer } from '../player/store.ts'

const THUMB =
  'block size-3.5 rounded-full bg-fog shadow transition-opacity outline-offset-2 focus-visible:opacity-100'

function percent(part: number, whole: number): string {
  return `${whole > 0 ? Math.min(100, Math.max(0, (part / whole) * 100)) : 0}%`
}

/** Shows the position and what is buffered; seeks. */
export function SeekBar() {
  const position = usePlayer(({ positionS }) => positionS)
  const buffered = usePlayer(({ bufferedToS }) => bufferedToS)
  const duration = usePlayer(({ durationS }) => durationS)
  const isEmpty = usePlayer(({ phase }) => phase.kind === 'empty')
  // While the thumb is dragged it follows the pointer, not the music; the seek happens on release.
  // Keys do not drag: they commit first and report the change after that.
  const isDragging = useRef(false)
  const [draggedS, setDraggedS] = useState<number | null>(null)
  const shown = draggedS ?? position
  return (
    <Slider.Root
      className="group absolute inset-x-0 -top-2.5 flex h-5 touch-none items-center select-none"
      min={0}
      max={Math.max(duration, 1)}
      step={5}
      disabled={isEmpty}
      value={[shown]}
      onPointerDown={() => {
        isDragging.current = true
      }}
      // Also when a drag was cancelled or ended where it began, which commits nothing.
      onLostPointerCapture={() => {
        isDragging.current = false
        setDraggedS(null)
      }}
      onValueChange={([to]) => {
        if (isDragging.current) setDraggedS(to ?? null)
      }}
      onValueCommit={([to]) => {
        if (to !== undefined) dispatch({ type: 'seek', positionS: to })
      }}
    >
      <Slider.Track className="relative h-1 grow overflow-hidden bg-edge transition-[height] group-hover:h-1.5">
        <span
          className="absolute inset-y-0 left-0 bg-dim/50"
          data-testid="buffered"
          style={{ width: percent(buffered, duration) }}
        />
        <Slider.Range className="absolute inset-y-0 bg-lamp" />
      </Slider.Track>
      <Slider.Thumb
        className={`${THUMB} ${isEmpty ? 'opacity-0' : 'group-hover:opacity-100 sm:opacity-0'}`}
        aria-label="Position"
        aria-valuetext={`${formatSpoken(shown)} of ${formatSpoken(duration)}`}
      />
    </Slider.Root>
  )
}

/** Sets the volume. */
export function VolumeBar({ volume }: { volume: number }) {
  return (
    <Slider.Root
      className="relative flex h-11 w-24 touch-none items-center select-none"
      min={0}
      max={100}
      step={5}
      value={[Math.round(volume * 100)]}
      onValueChange={([to]) => {
        if (to !== undefined) dispatch({ type: 'volume', volume: to / 100 })
      }}
    >
      <Slider.Track className="relative h-1 grow overflow-hidden rounded-full bg-edge">
        <Slider.Range className="absolute inset-y-0 bg-haze" />
      </Slider.Track>
      <Slider.Thumb
        className={THUMB}
        aria-label="Volume"
        aria-valuetext={`${Math.round(volume * 100)} percent`}
      />
    </Slider.Root>
  )
}
