/**
 * What the tabs of one browser tell each other about the sign-in, in `localStorage`. Instants of the
 * service (`endsAtMs`) are only compared with one another, and instants of this device's clock
 * (`notedAtMs`) likewise. Where that clock was set in between, an age comes out wrong: it is bounded,
 * so that the worst is one refresh too many, or an answer of 401, which asks for one.
 */

const SIGN_IN_KEY = 'mist.sign-in'
const WAIT_KEY = 'mist.refresh-wait'

export type Notes = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** The access token that a tab got last. */
export type SignInNote = {
  /** When it ends by the service's clock, Unix milliseconds: it also tells which of two is newer. */
  endsAtMs: number
  /** How long it had when it was noted, milliseconds. */
  lifetimeMs: number
  /** When that was by this device's clock, Unix milliseconds. */
  notedAtMs: number
}

/** Until when no tab tries to refresh, since the last try failed. */
export type WaitNote = {
  waitMs: number
  notedAtMs: number
  /** In a row. */
  failures: number
  /** Whether the service asked for it, so that a connection that is back does not end it. */
  isAsked: boolean
}

function read(notes: Notes, key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(notes.getItem(key) ?? 'null')
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

export function readSignIn(notes: Notes): SignInNote | null {
  const { endsAtMs, lifetimeMs, notedAtMs } = read(notes, SIGN_IN_KEY)
  if (
    typeof endsAtMs !== 'number' ||
    typeof lifetimeMs !== 'number' ||
    typeof notedAtMs !== 'number'
  )
    return null
  return { endsAtMs, lifetimeMs, notedAtMs }
}

export function readWait(notes: Notes): WaitNote | null {
  const { waitMs, notedAtMs, failures, isAsked } = read(notes, WAIT_KEY)
  if (typeof waitMs !== 'number' || typeof notedAtMs !== 'number' || typeof failures !== 'number')
    return null
  return { waitMs, notedAtMs, failures, isAsked: isAsked === true }
}

export function writeSignIn(notes: Notes, note: SignInNote | null): void {
  if (note === null) notes.removeItem(SIGN_IN_KEY)
  else notes.setItem(SIGN_IN_KEY, JSON.stringify(note))
}

export function writeWait(notes: Notes, note: WaitNote | null): void {
  if (note === null) notes.removeItem(WAIT_KEY)
  else notes.setItem(WAIT_KEY, JSON.stringify(note))
}

/** What is left of a token's life that was noted, ms; all of it where the clock was set back. */
export function lifeLeftMs({ lifetimeMs, notedAtMs }: SignInNote, wallMs: number): number {
  return Math.min(lifetimeMs, Math.max(0, lifetimeMs - (wallMs - notedAtMs)))
}

/** What is left of a wait that was noted, ms; nothing where the clock was set back. */
export function waitLeftMs({ waitMs, notedAtMs }: WaitNote, wallMs: number): number {
  return wallMs < notedAtMs ? 0 : Math.max(0, waitMs - (wallMs - notedAtMs))
}
