import type { PlayableTrack, PlayerState, Saved } from './machine.ts'

/**
 * Saved player state: the volume in `localStorage`, for all visits; the queue in `sessionStorage`, for
 * reloads of this tab.
 */
const VOLUME_KEY = 'mist.loudness'
const QUEUE_KEY = 'mist.queue'

/** A longer queue is cut to this many tracks around the current one. */
const MAX_SAVED_TRACKS = 200

export type PlayerStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

function readObject(storage: PlayerStorage, key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? '{}')
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Reads the volume of the last visit; null if none is saved or it is invalid. */
export function readVolume(storage: PlayerStorage): { volume: number; muted: boolean } | null {
  const { volume, muted } = readObject(storage, VOLUME_KEY)
  if (typeof volume !== 'number' || !(volume >= 0 && volume <= 1)) return null
  return { volume, muted: muted === true }
}

export function saveVolume(storage: PlayerStorage, { volume, muted }: PlayerState): void {
  storage.setItem(VOLUME_KEY, JSON.stringify({ volume, muted }))
}

function isTrack(value: unknown): value is PlayableTrack {
  if (typeof value !== 'object' || value === null) return false
  const { id, title, artists, durationS, version }: Record<string, unknown> = { ...value }
  return (
    [id, title, artists].every((each) => typeof each === 'string') &&
    [durationS, version].every((each) => typeof each === 'number')
  )
}

/** Reads the queue that the same listener had before a reload; null if there is none. */
export function readQueue(storage: PlayerStorage, listener: string | null): Saved | null {
  const { queue, index, positionS, of } = readObject(storage, QUEUE_KEY)
  if (of !== listener || !Array.isArray(queue) || !queue.every(isTrack)) return null
  if (typeof index !== 'number' || typeof positionS !== 'number') return null
  return queue[index] ? { queue, index, positionS } : null
}

export function saveQueue(
  storage: PlayerStorage,
  { queue, index, positionS, phase }: PlayerState,
  listener: string | null,
): void {
  if (phase.kind === 'empty') return
  const from = Math.max(0, index - MAX_SAVED_TRACKS / 2)
  const saved = queue.slice(from, from + MAX_SAVED_TRACKS)
  storage.setItem(
    QUEUE_KEY,
    JSON.stringify({ queue: saved, index: index - from, positionS, of: listener }),
  )
}
