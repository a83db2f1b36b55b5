import type { PlayerEvent, PlayerState } from './machine.ts'

/** The music fades over the last seconds that are leased. */
const FADE_S = 2.5
/** Between two steps of the fade, milliseconds. */
const STEP_MS = 50
/** Left when the fade is over, so that nothing runs dry before; seconds. */
const REST_S = 0.2

type Elements = readonly Pick<HTMLMediaElement, 'volume' | 'muted'>[]

/** How loud the decks are: what the listener set, less the fade at the end of the budget. */
export function makeLoudness({
  elements,
  state,
  dispatch,
  currentTimeS,
}: {
  elements: Elements
  state: () => PlayerState
  dispatch: (event: PlayerEvent) => void
  /** Where the deck that sounds is; the state hears of it four times a second. */
  currentTimeS: () => number
}) {
  let fader: ReturnType<typeof setInterval> | undefined

  function apply(factor = 1): void {
    const { volume, muted } = state()
    for (const element of elements) {
      // Loudness is heard roughly as the square: half way on the slider sounds half as loud.
      element.volume = volume * volume * factor
      element.muted = muted
    }
  }

  function stopFading(): void {
    clearInterval(fader)
    fader = undefined
    apply()
  }

  return {
    apply: () => apply(),
    stopFading,
    /** Fades to silence at the border of what is leased, and tells when it is reached. */
    fade(): void {
      clearInterval(fader)
      fader = setInterval(() => {
        const { positionS, bufferedToS, phase } = state()
        if (phase.kind !== 'fading') {
          stopFading()
          return
        }
        const leftS = bufferedToS - Math.max(positionS, currentTimeS())
        apply(Math.min(1, Math.max(0, leftS / FADE_S)))
        if (leftS > REST_S) return
        stopFading()
        dispatch({ type: 'border-reached' })
      }, STEP_MS)
    },
    /** Stops for good. */
    destroy: () => clearInterval(fader),
  }
}
