import { Slider } from 'radix-ui'
import { useRef, useState } from 'react'
import { spokenOf } from '../lib/time.ts'
import { dispatch, usePlayer } from '../player/store.ts'

const THUMB =
  'block size-3.5 rounded-full bg-fog shadow transition-opacity outline-offset-2 focus-visible:opacity-100'

function percent(part: number, whole: number): string {
  return `${whole > 0 ? Math.min(100, Math.max(0, (part / whole) * 100)) : 0}%`
}

/** Where the music is, what of it is here already, and the way to be elsewhere. */
export function SeekBar() {
  const position = usePlayer(({ positionS }) => positionS)
  const buffered = usePlayer(({ bufferedToS }) => bufferedToS)
  const duration = usePlayer(({ durationS }) => durationS)
  const isEmpty = usePlayer(({ phase }) => phase.kind === 'empty')
  // While the thumb is held it follows the hand, not the music; the seek happens on release. Keys
  // hold nothing: they commit, and tell the change after that.
  const isHeld = useRef(false)
  const [heldS, setHeldS] = useState<number | null>(null)
  const shown = heldS ?? position
  return (
    <Slider.Root
      className="group absolute inset-x-0 -top-2.5 flex h-5 touch-none items-center select-none"
      min={0}
      max={Math.max(duration, 1)}
      step={5}
      disabled={isEmpty}
      value={[shown]}
      onPointerDown={() => {
        isHeld.current = true
      }}
      // Also when the gesture was cancelled, or ended where it began, which commits nothing.
      onLostPointerCapture={() => {
        isHeld.current = false
        setHeldS(null)
      }}
      onValueChange={([to]) => {
        if (isHeld.current) setHeldS(to ?? null)
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
        aria-valuetext={`${spokenOf(shown)} of ${spokenOf(duration)}`}
      />
    </Slider.Root>
  )
}

/** How loud it is. */
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
