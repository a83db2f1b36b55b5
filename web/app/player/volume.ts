import type { PlayerEvent, PlayerState } from './machine.ts'

/** The music fades out over the last leased seconds. */
const FADE_S = 2.5
/** Milliseconds between two steps of the fade. */
const STEP_MS = 50
/** The fade ends this early, so that the buffer does not run dry during it; seconds. */
const MARGIN_S = 0.2

type Elements = readonly Pick<HTMLMediaElement, 'volume' | 'muted'>[]

/** Sets the volume of both decks: the listener's, times the fade at the end of the budget. */
export function makeVolumeControl({
  elements,
  state,
  dispatch,
  currentTimeS,
}: {
  elements: Elements
  state: () => PlayerState
  dispatch: (event: PlayerEvent) => void
  /** Position of the playing deck; the state's is up to a quarter of a second old. */
  currentTimeS: () => number
}) {
  let fadeTimer: ReturnType<typeof setInterval> | undefined

  function apply(factor = 1): void {
    const { volume, muted } = state()
    for (const element of elements) {
      // Squared, so that the middle of the slider sounds about half as loud.
      element.volume = volume * volume * factor
      element.muted = muted
    }
  }

  function stopFading(): void {
    clearInterval(fadeTimer)
    fadeTimer = undefined
    apply()
  }

  return {
    apply: () => apply(),
    stopFading,
    /** Fades to silence by the end of what is leased, then dispatches `fade-finished`. */
    fade(): void {
      clearInterval(fadeTimer)
      fadeTimer = setInterval(() => {
        const { positionS, bufferedToS, phase } = state()
        if (phase.kind !== 'fading') {
          stopFading()
          return
        }
        const leftS = bufferedToS - Math.max(positionS, currentTimeS())
        apply(Math.min(1, Math.max(0, leftS / FADE_S)))
        if (leftS > MARGIN_S) return
        stopFading()
        dispatch({ type: 'fade-finished' })
      }, STEP_MS)
    },
    destroy: () => clearInterval(fadeTimer),
  }
}
