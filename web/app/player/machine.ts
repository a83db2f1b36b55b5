import type { CoverUrls, Quota } from '../lib/api-types.ts'

/**
 * The player as a pure machine: `step(state, event)` tells the next state and what to do about it.
 * It knows no clock, no network and no audio element; player.ts carries its effects out.
 */

export type PlayableTrack = {
  id: string
  title: string
  artists: string
  durationS: number
  version: number
  coverUrls: CoverUrls | null
}

/** Why the music stopped, in the terms that the listener can act on. */
export type Refusal =
  | { kind: 'exhausted'; resetsAt: string | null }
  | { kind: 'superseded' }
  | { kind: 'signed-out' }
  | { kind: 'failed'; sentence: string }

/**
 * `starting`: asked for, no sound yet. `stalled`: sound ran dry. `refused`: silent until the
 * listener does something about `refusal`. `fading`: playing out what is leased, then `refused`.
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
 * How far the track after this one is prepared: not, its public files, its session too; or its
 * session was refused, and is not asked for again before this track is over.
 */
type Preparation = 'none' | 'files' | 'session' | 'refused'

export type PlayerState = {
  queue: readonly PlayableTrack[]
  index: number
  phase: Phase
  positionS: number
  durationS: number
  /** End of the buffered range that the position lies in. */
  bufferedToS: number
  volume: number
  muted: boolean
  quota: Quota | null
  next: Preparation
  /** Whether the deck holds this track; after a reload it does not until play is pressed. */
  loaded: boolean
}

export type PlayerEvent =
  // The listener.
  | { type: 'play-list'; tracks: readonly PlayableTrack[]; index: number }
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
  | { type: 'forget' }
  // The deck.
  | { type: 'sounding' }
  | { type: 'silent' }
  | { type: 'stalled' }
  | { type: 'progress'; positionS: number; bufferedToS: number; durationS: number }
  | { type: 'ended' }
  // The API.
  | { type: 'quota'; quota: Quota }
  | { type: 'refused'; refusal: Refusal }
  | { type: 'border-reached' }
  | { type: 'next-failed' }

/** What a reload keeps. */
export type Saved = { queue: readonly PlayableTrack[]; index: number; positionS: number }

export type PlayerEffect =
  | { type: 'load'; track: PlayableTrack; positionS: number }
  | { type: 'play' }
  | { type: 'pause' }
  | { type: 'stop' }
  | { type: 'seek'; positionS: number }
  | { type: 'loudness'; volume: number; muted: boolean }
  /** Fetch the public files of the next track: playlists, init, first ciphertext. */
  | { type: 'prepare-files'; track: PlayableTrack }
  /** Report this track as heard and start the next one's session, which leases its first key. */
  | { type: 'prepare-session'; track: PlayableTrack }
  /** Let the prepared deck sound and make it the current one. */
  | { type: 'swap' }
  | { type: 'drop-next' }
  | { type: 'fade' }
  | { type: 'complete' }

export type Step = { state: PlayerState; effects: PlayerEffect[] }

/** Pressing "previous" later than this into a track goes back to its start. Seconds. */
const RESTART_AFTER_S = 3
/** The next track's public files are fetched this long before the end. Seconds. */
const FILES_LEAD_S = 20
/**
 * The next track's session is started this long before the end, and not within the first 90 % of a
 * short track, since it ends this track's session and a completion needs 90 %. Seconds.
 */
const SESSION_LEAD_S = 4

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

/** Whether sound is wanted: the button shows "pause". */
export function isWanting({ phase }: Pick<PlayerState, 'phase'>): boolean {
  return ['starting', 'playing', 'stalled', 'fading'].includes(phase.kind)
}

function same(state: PlayerState): Step {
  return { state, effects: [] }
}

/** Whether the next session was asked for, which reports this track as complete first. */
function hasAskedForNext({ next }: PlayerState): boolean {
  return next === 'session' || next === 'refused'
}

function dropping(state: PlayerState): PlayerEffect[] {
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
  if (!track) return same(state)
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
    effects: [...dropping(state), { type: 'load', track, positionS }],
  }
}

/** Goes on to the next track because this one is over or the listener says so. */
function advance(state: PlayerState): Step {
  const nextIndex = state.index + 1
  const track = state.queue[nextIndex]
  if (!track) return same(state)
  // Files alone leave the session to be asked for: the load finds the prepared deck.
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
  if (!track) return same(state)
  const { kind } = state.phase
  if (kind === 'ended') return start(state, state.queue, state.index)
  // A refusal ends the session or leaves it without keys: ask again from here. After `superseded`
  // this is what takes the music over from the other device.
  if (kind === 'refused' || !state.loaded) {
    return start(state, state.queue, state.index, state.positionS)
  }
  if (kind !== 'paused') return same(state)
  return { state: { ...state, phase: { kind: 'starting' } }, effects: [{ type: 'play' }] }
}

function pause(state: PlayerState): Step {
  if (!isWanting(state)) return same(state)
  return { state: { ...state, phase: { kind: 'paused' } }, effects: [{ type: 'pause' }] }
}

function seek(state: PlayerState, to: number): Step {
  if (!currentTrack(state) || !Number.isFinite(to)) return same(state)
  const positionS = Math.min(Math.max(0, to), Math.max(0, state.durationS - 0.1))
  const moved = { ...state, positionS }
  if (!state.loaded || state.phase.kind === 'refused') return same(moved)
  // The place sought may be beyond what is leased; a refusal will be told again if it stands.
  const phase: Phase =
    state.phase.kind === 'ended'
      ? { kind: 'paused' }
      : state.phase.kind === 'fading'
        ? { kind: 'starting' }
        : state.phase
  const leftEnd = hasAskedForNext(state) && state.durationS - positionS > SESSION_LEAD_S
  return {
    state: { ...moved, phase, next: leftEnd ? 'none' : state.next },
    effects: [...(leftEnd ? dropping(state) : []), { type: 'seek', positionS }],
  }
}

function previous(state: PlayerState): Step {
  if (state.positionS > RESTART_AFTER_S || state.index === 0) return seek(state, 0)
  return start(state, state.queue, state.index - 1)
}

function progress(state: PlayerState, event: Extract<PlayerEvent, { type: 'progress' }>): Step {
  if (!state.loaded || state.phase.kind === 'refused') return same(state)
  const moved: PlayerState = {
    ...state,
    positionS: event.positionS,
    bufferedToS: event.bufferedToS,
    durationS: event.durationS > 0 ? event.durationS : state.durationS,
  }
  const track = state.queue[state.index + 1]
  if (!track || moved.phase.kind !== 'playing') return same(moved)
  const leftS = moved.durationS - moved.positionS
  // Before the end is buffered, this track still needs its session.
  const wholeEnd = moved.bufferedToS >= moved.durationS - 0.5
  if (moved.next === 'none' && leftS <= FILES_LEAD_S) {
    return {
      state: { ...moved, next: 'files' },
      effects: [{ type: 'prepare-files', track }],
    }
  }
  const sessionLeadS = Math.min(SESSION_LEAD_S, moved.durationS * 0.1)
  if (moved.next === 'files' && wholeEnd && leftS <= sessionLeadS) {
    return {
      state: { ...moved, next: 'session' },
      effects: [{ type: 'prepare-session', track }],
    }
  }
  return same(moved)
}

function ended(state: PlayerState): Step {
  if (!state.loaded || !isWanting(state)) return same(state)
  const report: PlayerEffect[] = hasAskedForNext(state) ? [] : [{ type: 'complete' }]
  const onward = advance(state)
  if (onward.effects.length > 0) {
    return { state: onward.state, effects: [...report, ...onward.effects] }
  }
  return {
    state: { ...state, phase: { kind: 'ended' }, positionS: state.durationS },
    effects: report,
  }
}

function refused(state: PlayerState, refusal: Refusal): Step {
  if (!currentTrack(state)) return same(state)
  if (refusal.kind === 'exhausted' && state.quota?.remainingS) {
    const quota = { ...state.quota, usedS: state.quota.limitS ?? 0, remainingS: 0 }
    return refused({ ...state, quota }, refusal)
  }
  // What is leased may be heard to the border of its period; another device is heard at once.
  const playsOut =
    (refusal.kind === 'exhausted' || refusal.kind === 'failed') && state.phase.kind === 'playing'
  if (playsOut) {
    return { state: { ...state, phase: { kind: 'fading', refusal } }, effects: [{ type: 'fade' }] }
  }
  return {
    state: { ...state, phase: { kind: 'refused', refusal }, next: 'none', loaded: false },
    effects: [...dropping(state), { type: 'stop' }],
  }
}

function borderReached(state: PlayerState): Step {
  if (state.phase.kind !== 'fading') return same(state)
  return {
    state: {
      ...state,
      phase: { kind: 'refused', refusal: state.phase.refusal },
      next: 'none',
      loaded: false,
    },
    effects: [...dropping(state), { type: 'stop' }],
  }
}

function setLoudness(state: PlayerState, volume: number, muted: boolean): Step {
  const clamped = Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : state.volume
  return {
    state: { ...state, volume: clamped, muted },
    effects: [{ type: 'loudness', volume: clamped, muted }],
  }
}

function restore(state: PlayerState, { queue, index, positionS }: Saved): Step {
  const track = queue[index]
  if (!track || state.phase.kind !== 'empty') return same(state)
  const at = Math.min(Math.max(0, positionS), track.durationS)
  return same({
    ...state,
    queue,
    index,
    phase: { kind: 'paused' },
    positionS: at,
    durationS: track.durationS,
    bufferedToS: at,
  })
}

/** Tells what follows from an event. Events that do not fit the state change nothing. */
export function step(state: PlayerState, event: PlayerEvent): Step {
  switch (event.type) {
    case 'play-list':
      return start(state, event.tracks, event.index)
    case 'play':
      return play(state)
    case 'pause':
      return pause(state)
    case 'toggle':
      return isWanting(state) ? pause(state) : play(state)
    case 'seek':
      return seek(state, event.positionS)
    case 'next':
      return advance(state)
    case 'previous':
      return previous(state)
    case 'volume':
      return setLoudness(state, event.volume, false)
    case 'mute':
      return setLoudness(state, state.volume, !state.muted)
    case 'dismiss':
      return state.phase.kind === 'refused'
        ? same({ ...state, phase: { kind: 'paused' } })
        : same(state)
    case 'restore':
      return restore(state, event.saved)
    case 'forget':
      return {
        state: { ...initialState, volume: state.volume, muted: state.muted },
        effects: [...dropping(state), { type: 'stop' }],
      }
    case 'sounding':
      return state.phase.kind === 'starting' || state.phase.kind === 'stalled'
        ? same({ ...state, phase: { kind: 'playing' } })
        : same(state)
    case 'silent':
      // The system paused it: headphones out, another app, the tab's own media keys.
      return state.phase.kind === 'playing'
        ? same({ ...state, phase: { kind: 'paused' } })
        : same(state)
    case 'stalled':
      return state.phase.kind === 'playing'
        ? same({ ...state, phase: { kind: 'stalled' } })
        : same(state)
    case 'progress':
      return progress(state, event)
    case 'ended':
      return ended(state)
    case 'quota':
      return same({ ...state, quota: event.quota })
    case 'refused':
      return refused(state, event.refusal)
    case 'border-reached':
      return borderReached(state)
    case 'next-failed':
      // Asked for again when this track is over; what refuses it will be told then.
      return state.next === 'session' ? same({ ...state, next: 'refused' }) : same(state)
  }
}
