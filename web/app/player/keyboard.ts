import type { PlayerEvent, PlayerState } from './machine.ts'

/** Arrow keys move by so many seconds. */
const SMALL_STEP_S = 5

type Key = {
  key: string
  isModified: boolean
  /** Whether the focused element uses the key itself: a field, a slider, a button. */
  isTaken: { space: boolean; arrows: boolean }
}

/** Maps a key pressed anywhere on the page to a player event; null if it has no meaning there. */
export function eventOfKey(
  { key, isModified, isTaken }: Key,
  state: Pick<PlayerState, 'phase' | 'positionS' | 'volume'>,
): PlayerEvent | null {
  if (isModified || state.phase.kind === 'empty') return null
  if (key === ' ' && !isTaken.space) return { type: 'toggle' }
  if (isTaken.arrows) return null
  switch (key) {
    case 'ArrowRight':
      return { type: 'seek', positionS: state.positionS + SMALL_STEP_S }
    case 'ArrowLeft':
      return { type: 'seek', positionS: state.positionS - SMALL_STEP_S }
    default:
      return null
  }
}

const TYPES_ITSELF = 'input, textarea, select, [contenteditable], [role=textbox]'
const USES_SPACE = `${TYPES_ITSELF}, button, a[href], summary, [role=button], [role=menuitem], audio`
const USES_ARROWS = `${TYPES_ITSELF}, [role=slider], [role=menu], [role=menuitem], [role=radio], [role=tab]`

/** Listens to the page's keys; returns the function that unsubscribes. */
export function listenToKeys(
  state: () => PlayerState,
  dispatch: (event: PlayerEvent) => void,
): () => void {
  function handleKey(event: KeyboardEvent): void {
    const target = event.target instanceof Element ? event.target : null
    const playerEvent = eventOfKey(
      {
        key: event.key,
        isModified: event.ctrlKey || event.altKey || event.metaKey || event.shiftKey,
        isTaken: {
          space: event.defaultPrevented || target?.closest(USES_SPACE) != null,
          arrows: event.defaultPrevented || target?.closest(USES_ARROWS) != null,
        },
      },
      state(),
    )
    if (!playerEvent) return
    // Space would also scroll the page.
    event.preventDefault()
    dispatch(playerEvent)
  }
  document.addEventListener('keydown', handleKey)
  return () => document.removeEventListener('keydown', handleKey)
}
