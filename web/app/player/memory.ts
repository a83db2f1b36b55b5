import type { PlayableTrack, PlayerState, Saved } from './machine.ts'

/** Two small memories: loudness for all visits, the queue for reloads of this tab. */
const LOUDNESS_KEY = 'mist.loudness'
const QUEUE_KEY = 'mist.queue'

/** The queue kept for a reload is cut to so many tracks around the current one. */
const KEPT_TRACKS = 200

type Notes = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

function parsed(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Reads the loudness of the last visit; null when there was none or it makes no sense. */
export function recallLoudness(notes: Notes): { volume: number; muted: boolean } | null {
  const { volume, muted } = parsed(notes.getItem(LOUDNESS_KEY))
  if (typeof volume !== 'number' || !(volume >= 0 && volume <= 1)) return null
  return { volume, muted: muted === true }
}

export function keepLoudness(notes: Notes, { volume, muted }: PlayerState): void {
  notes.setItem(LOUDNESS_KEY, JSON.stringify({ volume, muted }))
}

function isTrack(value: unknown): value is PlayableTrack {
  if (typeof value !== 'object' || value === null) return false
  const { id, title, artists, durationS, version }: Record<string, unknown> = { ...value }
  return (
    [id, title, artists].every((each) => typeof each === 'string') &&
    [durationS, version].every((each) => typeof each === 'number')
  )
}

/** Reads what was in the player before a reload by the same listener; null when nothing was. */
export function recallQueue(notes: Notes, listener: string | null): Saved | null {
  const { queue, index, positionS, of } = parsed(notes.getItem(QUEUE_KEY))
  if (of !== listener || !Array.isArray(queue) || !queue.every(isTrack)) return null
  if (typeof index !== 'number' || typeof positionS !== 'number') return null
  return queue[index] ? { queue, index, positionS } : null
}

export function keepQueue(
  notes: Notes,
  { queue, index, positionS, phase }: PlayerState,
  listener: string | null,
): void {
  if (phase.kind === 'empty') return
  const from = Math.max(0, index - KEPT_TRACKS / 2)
  const kept = queue.slice(from, from + KEPT_TRACKS)
  notes.setItem(
    QUEUE_KEY,
    JSON.stringify({ queue: kept, index: index - from, positionS, of: listener }),
  )
}
