/**
 * What the tabs of one browser share about their auth session, in `localStorage`. Instants of the API's
 * clock (`endsAtMs`) are only compared with each other, and so are those of this device's clock
 * (`storedAtMs`). If that clock is changed in between, an age is wrong, but bounded: the worst is one
 * refresh too many, or a 401, which triggers one.
 */

const ACCESS_KEY = 'mist.auth-session'
const BACKOFF_KEY = 'mist.refresh-backoff'

export type AuthSessionStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** Expiry of the newest access token; the token itself is in an httpOnly cookie. */
export type StoredAccess = {
  /** Expiry by the API's clock, Unix milliseconds; of two tokens the newer one expires later. */
  endsAtMs: number
  /** Remaining lifetime when it was stored, milliseconds. */
  lifetimeMs: number
  /** When it was stored, by this device's clock, Unix milliseconds. */
  storedAtMs: number
}

/** After a failed refresh: how long no tab may try again. */
export type StoredBackoff = {
  waitMs: number
  storedAtMs: number
  /** Failures in a row. */
  failures: number
  /** Whether the API asked for it: then it outlasts a lost connection. */
  isRequested: boolean
}

function read(storage: AuthSessionStorage, key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? 'null')
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

export function readAccess(storage: AuthSessionStorage): StoredAccess | null {
  const { endsAtMs, lifetimeMs, storedAtMs } = read(storage, ACCESS_KEY)
  if (
    typeof endsAtMs !== 'number' ||
    typeof lifetimeMs !== 'number' ||
    typeof storedAtMs !== 'number'
  )
    return null
  return { endsAtMs, lifetimeMs, storedAtMs }
}

export function readBackoff(storage: AuthSessionStorage): StoredBackoff | null {
  const { waitMs, storedAtMs, failures, isRequested } = read(storage, BACKOFF_KEY)
  if (typeof waitMs !== 'number' || typeof storedAtMs !== 'number' || typeof failures !== 'number')
    return null
  return { waitMs, storedAtMs, failures, isRequested: isRequested === true }
}

export function writeAccess(storage: AuthSessionStorage, stored: StoredAccess | null): void {
  if (stored === null) storage.removeItem(ACCESS_KEY)
  else storage.setItem(ACCESS_KEY, JSON.stringify(stored))
}

export function writeBackoff(storage: AuthSessionStorage, stored: StoredBackoff | null): void {
  if (stored === null) storage.removeItem(BACKOFF_KEY)
  else storage.setItem(BACKOFF_KEY, JSON.stringify(stored))
}

/** Milliseconds left of a stored lifetime; all of it if the clock was set back. */
export function accessLeftMs({ lifetimeMs, storedAtMs }: StoredAccess, wallMs: number): number {
  return Math.min(lifetimeMs, Math.max(0, lifetimeMs - (wallMs - storedAtMs)))
}

/** Milliseconds left of a stored backoff; none if the clock was set back. */
export function backoffLeftMs({ waitMs, storedAtMs }: StoredBackoff, wallMs: number): number {
  return wallMs < storedAtMs ? 0 : Math.max(0, waitMs - (wallMs - storedAtMs))
}
