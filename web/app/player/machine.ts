import type { CoverUrls, Quota } from '../lib/api-types.ts'

/**
 * The player as a pure state machine: `step(state, event)` returns the next state and the effects to
 * run. It knows no clock, no network and no audio element; player.ts runs the effects.
 */

export type PlayableTrack = {
  id: string
  title: string
  artists: string
  durationS: number
  version: number
  coverUrls: CoverUrls | null
}

/** Why the music stopped, by what the listener can do about it. */
export type Refusal =
  | { kind: 'exhausted'; resetsAt: string | null }
  | { kind: 'superseded' }
  | { kind: 'signed-out' }
  | { kind: 'failed'; sentence: string }

/**
 * `starting`: play was pressed, no sound yet. `stalled`: the buffer ran dry. `refused`: silent until
 * the listener acts on `refusal`. `fading`: playing what is still leased, then `refused`.
 */
type Phase =
  | { kind: 'empty' }
  | { kind: 'paused' }
  | { kind: 'starting' }
  | { kind: 'playing' }
  | { kind: 'stalled' }
  | { kind: 'ended' }
  | { kind: 'fading'; refusal: Refusal }
  | { kind: 'refused'; refusal: Refusal }

/**
 * How far the next track is prepared: not at all, its public files, its session too; or its session
 * was refused, and is not tried again before this track ends.
 */
type Preparation = 'none' | 'files' | 'session' | 'refused'

export type PlayerState = {
  queue: readonly PlayableTrack[]
  index: number
  phase: Phase
  positionS: number
  durationS: number
  /** End of the buffered range around the position. */
  bufferedToS: number
  volume: number
  muted: boolean
  quota: Quota | null
  next: Preparation
  /** Whether the deck holds this track; after a reload, not before play is pressed. */
  loaded: boolean
}

export type PlayerEvent =
  // The listener.
  | { type: 'play-tracks'; tracks: readonly PlayableTrack[]; index: number }
  | { type: 'play' }
  | { type: 'pause' }
  | { type: 'toggle' }
  | { type: 'seek'; positionS: number }
  | { type: 'next' }
  | { type: 'previous' }
  | { type: 'volume'; volume: number }
  | { type: 'mute' }
  | { type: 'dismiss' }
  | { type: 'restore'; saved: Saved }
  | { type: 'signed-in' }
  | { type: 'clear' }
  // The deck.
  | { type: 'playing' }
  | { type: 'paused' }
  | { type: 'stalled' }
  | { type: 'progress'; positionS: number; bufferedToS: number; durationS: number }
  | { type: 'ended' }
  // The API.
  | { type: 'quota'; quota: Quota }
  | { type: 'refused'; refusal: Refusal }
  | { type: 'fade-finished' }
  | { type: 'next-failed' }

/** What survives a reload. */
export type Saved = { queue: readonly PlayableTrack[]; index: number; positionS: number }

export type PlayerEffect =
  | { type: 'load'; track: PlayableTrack; positionS: number }
  | { type: 'play' }
  | { type: 'pause' }
  | { type: 'stop' }
  | { type: 'seek'; positionS: number }
  | { type: 'volume'; volume: number; muted: boolean }
  /** Fetch the public files of the next track: playlists, init, first ciphertext. */
  | { type: 'prepare-files'; track: PlayableTrack }
  /** Start the next track's session, which leases its first key; this one's goes on beside it. */
  | { type: 'prepare-session'; track: PlayableTrack }
  /** Play the prepared deck and make it the current one. */
  | { type: 'swap' }
  | { type: 'drop-next' }
  | { type: 'fade' }
  | { type: 'complete'; positionS: number }

export type Step = { state: PlayerState; effects: PlayerEffect[] }

/** Later than this into a track, "previous" goes back to its start. Seconds. */
const RESTART_AFTER_S = 3
/** The next track's public files are fetched this long before the end. Seconds. */
const FILES_LEAD_S = 20
/**
 * The next track's session is started this long before the end, and not within the first half of a
 * short track. It pays for the next track's first seconds, so not before it is all but certain that they
 * will be heard; but time for a slow answer, and for one more try. Seconds.
 */
const SESSION_LEAD_S = 3

export const initialState: PlayerState = {
  queue: [],
  index: 0,
  phase: { kind: 'empty' },
  positionS: 0,
  durationS: 0,
  bufferedToS: 0,
  volume: 1,
  muted: false,
  quota: null,
  next: 'none',
  loaded: false,
}

/** The track in the player, if any. */
export function currentTrack(state: PlayerState): PlayableTrack | null {
  return state.queue[state.index] ?? null
}

/** Whether the listener wants sound: the button shows "Pause". */
export function isPlayRequested({ phase }: Pick<PlayerState, 'phase'>): boolean {
  return ['starting', 'playing', 'stalled', 'fading'].includes(phase.kind)
}

function unchanged(state: PlayerState): Step {
  return { state, effects: [] }
}

/** Whether the next session was asked for: it may be paid for, and is not asked for twice. */
function hasRequestedNext({ next }: PlayerState): boolean {
  return next === 'session' || next === 'refused'
}

function dropNext(state: PlayerState): PlayerEffect[] {
  return state.next === 'none' ? [] : [{ type: 'drop-next' }]
}

/** Starts the track at `index` of `queue` at `positionS`. */
function start(
  state: PlayerState,
  queue: readonly PlayableTrack[],
  index: number,
  positionS = 0,
): Step {
  const track = queue[index]
  if (!track) return unchanged(state)
  return {
    state: {
      ...state,
      queue,
      index,
      phase: { kind: 'starting' },
      positionS,
      durationS: track.durationS,
      bufferedToS: positionS,
      next: 'none',
      loaded: true,
    },
    effects: [...dropNext(state), { type: 'load', track, positionS }],
  }
}

/** Goes on to the next track, because this one ended or the listener skipped it. */
function advance(state: PlayerState): Step {
  const nextIndex = state.index + 1
  const track = state.queue[nextIndex]
  if (!track) return unchanged(state)
  // With the files alone, the session is still missing: `load` finds the prepared deck.
  if (state.next === 'none') return start(state, state.queue, nextIndex)
  return {
    state: {
      ...state,
      index: nextIndex,
      phase: { kind: 'starting' },
      positionS: 0,
      durationS: track.durationS,
      bufferedToS: 0,
      next: 'none',
      loaded: true,
    },
    effects: [state.next === 'session' ? { type: 'swap' } : { type: 'load', track, positionS: 0 }],
  }
}

function play(state: PlayerState): Step {
  const track = currentTrack(state)
  if (!track) return unchanged(state)
  const { kind } = state.phase
  if (kind === 'ended') return start(state, state.queue, state.index)
  // After a refusal the session has ended or gets no keys: start a new one from here. After
  // `superseded`, this takes over from the other device.
  if (kind === 'refused' || !state.loaded) {
    return start(state, state.queue, state.index, state.positionS)
  }
  if (kind !== 'paused') return unchanged(state)
  return { state: { ...state, phase: { kind: 'starting' } }, effects: [{ type: 'play' }] }
}

function pause(state: PlayerState): Step {
  if (!isPlayRequested(state)) return unchanged(state)
  return { state: { ...state, phase: { kind: 'paused' } }, effects: [{ type: 'pause' }] }
}

function seek(state: PlayerState, to: number): Step {
  if (!currentTrack(state) || !Number.isFinite(to)) return unchanged(state)
  const positionS = Math.min(Math.max(0, to), Math.max(0, state.durationS - 0.1))
  const moved = { ...state, positionS }
  if (!state.loaded || state.phase.kind === 'refused') return unchanged(moved)
  // The target may be beyond what is leased; if so, the refusal comes again.
  const phase: Phase =
    state.phase.kind === 'ended'
      ? { kind: 'paused' }
      : state.phase.kind === 'fading'
        ? { kind: 'starting' }
        : state.phase
  const leftEnd = hasRequestedNext(state) && state.durationS - positionS > SESSION_LEAD_S
  return {
    state: { ...moved, phase, next: leftEnd ? 'none' : state.next },
    effects: [...(leftEnd ? dropNext(state) : []), { type: 'seek', positionS }],
  }
}

function previous(state: PlayerState): Step {
  if (state.positionS > RESTART_AFTER_S || state.index === 0) return seek(state, 0)
  return start(state, state.queue, state.index - 1)
}

function progress(state: PlayerState, event: Extract<PlayerEvent, { type: 'progress' }>): Step {
  if (!state.loaded || state.phase.kind === 'refused') return unchanged(state)
  const moved: PlayerState = {
    ...state,
    positionS: event.positionS,
    bufferedToS: event.bufferedToS,
    durationS: event.durationS > 0 ? event.durationS : state.durationS,
  }
  const track = state.queue[state.index + 1]
  if (!track || moved.phase.kind !== 'playing') return unchanged(moved)
  const leftS = moved.durationS - moved.positionS
  // While this track still needs keys, it is not certain that it will be heard to its end.
  const isEndBuffered = moved.bufferedToS >= moved.durationS - 0.5
  if (moved.next === 'none' && leftS <= FILES_LEAD_S) {
    return {
      state: { ...moved, next: 'files' },
      effects: [{ type: 'prepare-files', track }],
    }
  }
  const sessionLeadS = Math.min(SESSION_LEAD_S, moved.durationS / 2)
  if (moved.next === 'files' && isEndBuffered && leftS <= sessionLeadS) {
    return {
      state: { ...moved, next: 'session' },
      effects: [{ type: 'prepare-session', track }],
    }
  }
  return unchanged(moved)
}

function ended(state: PlayerState): Step {
  if (!state.loaded || !isPlayRequested(state)) return unchanged(state)
  const complete: PlayerEffect = { type: 'complete', positionS: state.durationS }
  const next = advance(state)
  if (next.effects.length > 0) {
    return { state: next.state, effects: [complete, ...next.effects] }
  }
  return {
    state: { ...state, phase: { kind: 'ended' }, positionS: state.durationS },
    effects: [complete],
  }
}

function refused(state: PlayerState, refusal: Refusal): Step {
  if (!currentTrack(state)) return unchanged(state)
  if (refusal.kind === 'exhausted' && state.quota?.remainingS) {
    const quota = { ...state.quota, usedS: state.quota.limitS ?? 0, remainingS: 0 }
    return refused({ ...state, quota }, refusal)
  }
  // What is leased is played to the end of its period; `superseded` stops at once.
  const mayPlayOut =
    (refusal.kind === 'exhausted' || refusal.kind === 'failed') && state.phase.kind === 'playing'
  if (mayPlayOut) {
    return { state: { ...state, phase: { kind: 'fading', refusal } }, effects: [{ type: 'fade' }] }
  }
  return {
    state: { ...state, phase: { kind: 'refused', refusal }, next: 'none', loaded: false },
    effects: [...dropNext(state), { type: 'stop' }],
  }
}

function fadeFinished(state: PlayerState): Step {
  if (state.phase.kind !== 'fading') return unchanged(state)
  return {
    state: {
      ...state,
      phase: { kind: 'refused', refusal: state.phase.refusal },
      next: 'none',
      loaded: false,
    },
    effects: [...dropNext(state), { type: 'stop' }],
  }
}

function setVolume(state: PlayerState, volume: number, muted: boolean): Step {
  const clamped = Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : state.volume
  return {
    state: { ...state, volume: clamped, muted },
    effects: [{ type: 'volume', volume: clamped, muted }],
  }
}

function restore(state: PlayerState, { queue, index, positionS }: Saved): Step {
  const track = queue[index]
  if (!track || state.phase.kind !== 'empty') return unchanged(state)
  const at = Math.min(Math.max(0, positionS), track.durationS)
  return unchanged({
    ...state,
    queue,
    index,
    phase: { kind: 'paused' },
    positionS: at,
    durationS: track.durationS,
    bufferedToS: at,
  })
}

/** Whether `quota` was overtaken on its way by one that counts more of the same day. */
function isOlder(quota: Quota, known: Quota | null): boolean {
  return (
    known !== null &&
    quota.resetsAt === known.resetsAt &&
    quota.limitS === known.limitS &&
    quota.usedS < known.usedS
  )
}

/** Applies an event. Events that do not fit the state change nothing. */
export function step(state: PlayerState, event: PlayerEvent): Step {
  switch (event.type) {
    case 'play-tracks':
      return start(state, event.tracks, event.index)
    case 'play':
      return play(state)
    case 'pause':
      return pause(state)
    case 'toggle':
      return isPlayRequested(state) ? pause(state) : play(state)
    case 'seek':
      return seek(state, event.positionS)
    case 'next':
      return advance(state)
    case 'previous':
      return previous(state)
    case 'volume':
      return setVolume(state, event.volume, false)
    case 'mute':
      return setVolume(state, state.volume, !state.muted)
    case 'dismiss':
      return state.phase.kind === 'refused'
        ? unchanged({ ...state, phase: { kind: 'paused' } })
        : unchanged(state)
    case 'restore':
      return restore(state, event.saved)
    case 'signed-in':
      // What was pressed before signing in plays now.
      return state.phase.kind === 'refused' && state.phase.refusal.kind === 'signed-out'
        ? play(state)
        : unchanged(state)
    case 'clear':
      return {
        state: { ...initialState, volume: state.volume, muted: state.muted },
        effects: [...dropNext(state), { type: 'stop' }],
      }
    case 'playing':
      return state.phase.kind === 'starting' || state.phase.kind === 'stalled'
        ? unchanged({ ...state, phase: { kind: 'playing' } })
        : unchanged(state)
    case 'paused':
      // Paused by the system: headphones unplugged, another app, media keys.
      return state.phase.kind === 'playing'
        ? unchanged({ ...state, phase: { kind: 'paused' } })
        : unchanged(state)
    case 'stalled':
      return state.phase.kind === 'playing'
        ? unchanged({ ...state, phase: { kind: 'stalled' } })
        : unchanged(state)
    case 'progress':
      return progress(state, event)
    case 'ended':
      return ended(state)
    case 'quota':
      return isOlder(event.quota, state.quota)
        ? unchanged(state)
        : unchanged({ ...state, quota: event.quota })
    case 'refused':
      return refused(state, event.refusal)
    case 'fade-finished':
      return fadeFinished(state)
    case 'next-failed':
      // Tried again when this track ends; a refusal is shown then.
      return state.next === 'session' ? unchanged({ ...state, next: 'refused' }) : unchanged(state)
  }
}
