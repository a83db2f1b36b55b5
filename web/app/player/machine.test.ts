import { expect, test } from 'vitest'
import { currentTrack, initialState, isPlayRequested, step } from './machine.ts'
import type { PlayableTrack, PlayerEffect, PlayerEvent, PlayerState } from './machine.ts'

function track(id: string, durationS = 100): PlayableTrack {
  return { id, title: id.toUpperCase(), artists: 'Ada', durationS, version: 1, coverUrls: null }
}

const LIST = [track('a'), track('b'), track('c')]
const EXHAUSTED = { kind: 'exhausted', resetsAt: '2026-01-02T00:00:00Z' } as const

/** Applies events in order; returns the last state and all effects. */
function run(events: PlayerEvent[], from: PlayerState = initialState) {
  let state = from
  const effects: PlayerEffect[] = []
  for (const event of events) {
    const next = step(state, event)
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects, did: effects.map(({ type }) => type) }
}

function at(positionS: number, bufferedToS = positionS + 10, durationS = 100): PlayerEvent {
  return { type: 'progress', positionS, bufferedToS, durationS }
}

const PLAYING = run([{ type: 'play-tracks', tracks: LIST, index: 0 }, { type: 'playing' }]).state

test('pressing play in a list makes the list the queue and starts there', () => {
  const { state, effects } = run([{ type: 'play-tracks', tracks: LIST, index: 1 }])
  expect(currentTrack(state)?.id).toBe('b')
  expect(state.phase.kind).toBe('starting')
  expect(effects).toEqual([{ type: 'load', track: LIST[1], positionS: 0 }])
})

test('an index beyond the list changes nothing', () => {
  expect(run([{ type: 'play-tracks', tracks: LIST, index: 9 }]).state).toBe(initialState)
})

test('the phase is playing once there is sound, not when play is pressed', () => {
  const starting = run([{ type: 'play-tracks', tracks: LIST, index: 0 }]).state
  expect(starting.phase.kind).toBe('starting')
  expect(run([{ type: 'playing' }], starting).state.phase.kind).toBe('playing')
})

test('pause and play go back and forth without loading again', () => {
  const { did, state } = run([{ type: 'toggle' }, { type: 'toggle' }], PLAYING)
  expect(did).toEqual(['pause', 'play'])
  expect(isPlayRequested(state)).toBe(true)
})

test('a pause while the track is still starting is obeyed', () => {
  const { state, did } = run([
    { type: 'play-tracks', tracks: LIST, index: 0 },
    { type: 'pause' },
    { type: 'playing' },
  ])
  expect(did).toEqual(['load', 'pause'])
  expect(state.phase.kind).toBe('paused')
})

test('a pause by the system is shown as one', () => {
  expect(run([{ type: 'paused' }], PLAYING).state.phase.kind).toBe('paused')
})

test('an empty buffer stalls, and playing resumes', () => {
  const stalled = run([{ type: 'stalled' }], PLAYING).state
  expect(stalled.phase.kind).toBe('stalled')
  expect(isPlayRequested(stalled)).toBe(true)
  expect(run([{ type: 'playing' }], stalled).state.phase.kind).toBe('playing')
})

test.each([
  [-5, 0],
  [40, 40],
  [1e9, 99.9],
])('seeking to %d lands at %d', (to, positionS) => {
  const { state, effects } = run([{ type: 'seek', positionS: to }], PLAYING)
  expect(state.positionS).toBe(positionS)
  expect(effects).toEqual([{ type: 'seek', positionS }])
})

test('a seek to NaN is ignored', () => {
  expect(run([{ type: 'seek', positionS: Number.NaN }], PLAYING).effects).toEqual([])
})

test('next starts the next track, and does nothing at the end of the list', () => {
  const { state } = run([{ type: 'next' }, { type: 'next' }, { type: 'next' }], PLAYING)
  expect(currentTrack(state)?.id).toBe('c')
})

test('previous goes to the start first, and to the track before when near it', () => {
  const later = run([{ type: 'next' }, { type: 'playing' }, at(30)], PLAYING).state
  const restarted = run([{ type: 'previous' }], later)
  expect(currentTrack(restarted.state)?.id).toBe('b')
  expect(restarted.effects).toEqual([{ type: 'seek', positionS: 0 }])
  const back = run([{ type: 'previous' }, { type: 'previous' }], later)
  expect(currentTrack(back.state)?.id).toBe('a')
})

test('near the end the next track is prepared: files first, its session only in the last seconds', () => {
  const { effects } = run([at(50), at(79), at(81), at(85), at(96.5, 100), at(97.5, 100)], PLAYING)
  expect(effects).toEqual([
    { type: 'prepare-files', track: LIST[1] },
    { type: 'prepare-session', track: LIST[1] },
  ])
})

test('the session of the next track, which costs, waits until all of this one is buffered', () => {
  const { did } = run([at(85), at(97, 98)], PLAYING)
  expect(did).toEqual(['prepare-files'])
})

test('the next session of a very short track waits for its second half', () => {
  const short = [track('s', 4), track('t')]
  const playing = run([
    { type: 'play-tracks', tracks: short, index: 0 },
    { type: 'playing' },
    at(0.5, 4, 4),
  ])
  expect(run([at(1.9, 4, 4)], playing.state).did).toEqual([])
  expect(run([at(2.1, 4, 4)], playing.state).did).toEqual(['prepare-session'])
})

test('during a pause the next session is not started', () => {
  const { did } = run([at(85), { type: 'pause' }, at(98, 100)], PLAYING)
  expect(did).toEqual(['prepare-files', 'pause'])
})

test('a prepared track takes over at the end without being loaded', () => {
  const { state, did } = run([at(85), at(97, 100), { type: 'ended' }], PLAYING)
  expect(did).toEqual(['prepare-files', 'prepare-session', 'complete', 'swap'])
  expect(currentTrack(state)?.id).toBe('b')
  expect(state).toMatchObject({ positionS: 0, next: 'none' })
})

test('the end reports this track as heard, whatever comes next, and without a prepared session loads that', () => {
  const { effects } = run([{ type: 'ended' }], PLAYING)
  expect(effects).toEqual([
    { type: 'complete', positionS: 100 },
    { type: 'load', track: LIST[1], positionS: 0 },
  ])
})

test('a next track whose session was refused is tried again at the end, and not before', () => {
  const refused = run([at(85), at(97, 100), { type: 'next-failed' }], PLAYING)
  expect(refused.did).toEqual(['prepare-files', 'prepare-session'])
  expect(run([at(98, 100), at(99, 100)], refused.state).did).toEqual([])
  const over = run([{ type: 'ended' }], refused.state)
  expect(over.did).toEqual(['complete', 'load'])
  expect(currentTrack(over.state)?.id).toBe('b')
})

test('after seeking back from the end a refused next track may be tried again', () => {
  const { did } = run(
    [at(85), at(97, 100), { type: 'next-failed' }, { type: 'seek', positionS: 10 }, at(85)],
    PLAYING,
  )
  expect(did).toEqual(['prepare-files', 'prepare-session', 'drop-next', 'seek', 'prepare-files'])
})

test('seeking back from the end drops the prepared session', () => {
  const { did, state } = run([at(85), at(97, 100), { type: 'seek', positionS: 10 }], PLAYING)
  expect(did).toEqual(['prepare-files', 'prepare-session', 'drop-next', 'seek'])
  expect(state.next).toBe('none')
})

test('choosing another track drops what was prepared', () => {
  const { did } = run([at(85), { type: 'play-tracks', tracks: LIST, index: 2 }], PLAYING)
  expect(did).toEqual(['prepare-files', 'drop-next', 'load'])
})

test('after the last track the player stops, and play restarts that track', () => {
  const last = run([{ type: 'play-tracks', tracks: LIST, index: 2 }, { type: 'playing' }]).state
  const ended = run([{ type: 'ended' }], last)
  expect(ended.did).toEqual(['complete'])
  expect(ended.state.phase.kind).toBe('ended')
  expect(run([{ type: 'play' }], ended.state).effects).toEqual([
    { type: 'load', track: LIST[2], positionS: 0 },
  ])
})

test('a spent budget lets the leased part play out and fade, then shows the refusal', () => {
  const fading = run([at(20), { type: 'refused', refusal: EXHAUSTED }], PLAYING)
  expect(fading.did).toEqual(['fade'])
  expect(isPlayRequested(fading.state)).toBe(true)
  const over = run([{ type: 'fade-finished' }], fading.state)
  expect(over.did).toEqual(['stop'])
  expect(over.state.phase).toEqual({ kind: 'refused', refusal: EXHAUSTED })
})

test('a budget that is spent before the first sound is shown at once', () => {
  const { state, did } = run([
    { type: 'play-tracks', tracks: LIST, index: 0 },
    { type: 'refused', refusal: EXHAUSTED },
  ])
  expect(did).toEqual(['load', 'stop'])
  expect(state.phase.kind).toBe('refused')
})

function used(usedS: number, resetsAt: string = EXHAUSTED.resetsAt): PlayerEvent {
  const quota = { limitS: 300, usedS, remainingS: 300 - usedS, unlimited: false, resetsAt }
  return { type: 'quota', quota }
}

test('an answer that was overtaken does not turn the budget back; a new day does', () => {
  const later = run([used(40), used(36)], PLAYING).state
  expect(later.quota?.usedS).toBe(40)
  expect(run([used(4, '2026-01-03T00:00:00Z')], later).state.quota?.usedS).toBe(4)
})

test('a spent budget shows nothing left', () => {
  const { state } = run([used(290), { type: 'refused', refusal: EXHAUSTED }], PLAYING)
  expect(state.quota).toMatchObject({ usedS: 300, remainingS: 0 })
})

test('another device silences this one at once, and play takes the music over from here', () => {
  const refused = run([at(42), { type: 'refused', refusal: { kind: 'superseded' } }], PLAYING)
  expect(refused.did).toEqual(['stop'])
  expect(isPlayRequested(refused.state)).toBe(false)
  expect(run([{ type: 'play' }], refused.state).effects).toEqual([
    { type: 'load', track: LIST[0], positionS: 42 },
  ])
})

test('while it fades, a seek into what is leased goes on playing', () => {
  const { state, did } = run(
    [
      { type: 'refused', refusal: EXHAUSTED },
      { type: 'seek', positionS: 1 },
    ],
    PLAYING,
  )
  expect(did).toEqual(['fade', 'seek'])
  expect(state.phase.kind).toBe('starting')
})

test('a message that was closed leaves the player paused where it was', () => {
  const { state } = run(
    [at(42), { type: 'refused', refusal: { kind: 'superseded' } }, { type: 'dismiss' }],
    PLAYING,
  )
  expect(state).toMatchObject({ phase: { kind: 'paused' }, positionS: 42 })
})

test('late events of a stopped deck do not move the position', () => {
  const { state } = run(
    [at(42), { type: 'refused', refusal: { kind: 'superseded' } }, at(0, 0)],
    PLAYING,
  )
  expect(state.positionS).toBe(42)
})

test('a reload shows the track paused where it was, requests nothing, and resumes there', () => {
  const saved = { queue: LIST, index: 1, positionS: 33 }
  const restored = run([{ type: 'restore', saved }])
  expect(restored.effects).toEqual([])
  expect(restored.state).toMatchObject({ phase: { kind: 'paused' }, positionS: 33, index: 1 })
  expect(run([{ type: 'play' }], restored.state).effects).toEqual([
    { type: 'load', track: LIST[1], positionS: 33 },
  ])
})

test('after a reload a seek is kept for when play is pressed', () => {
  const saved = { queue: LIST, index: 1, positionS: 33 }
  const { effects } = run([
    { type: 'restore', saved },
    { type: 'seek', positionS: 60 },
    { type: 'play' },
  ])
  expect(effects).toEqual([{ type: 'load', track: LIST[1], positionS: 60 }])
})

test('a saved queue does not replace what is already playing', () => {
  const saved = { queue: [track('z')], index: 0, positionS: 3 }
  expect(run([{ type: 'restore', saved }], PLAYING).state).toBe(PLAYING)
})

test('muting keeps the volume, and moving the volume unmutes', () => {
  const { state, effects } = run([
    { type: 'volume', volume: 0.4 },
    { type: 'mute' },
    { type: 'volume', volume: 2 },
  ])
  expect(effects).toEqual([
    { type: 'volume', volume: 0.4, muted: false },
    { type: 'volume', volume: 0.4, muted: true },
    { type: 'volume', volume: 1, muted: false },
  ])
  expect(state).toMatchObject({ volume: 1, muted: false })
})

test('signing out empties the player but keeps its volume', () => {
  const { state, did } = run([{ type: 'volume', volume: 0.3 }, at(85), { type: 'clear' }], PLAYING)
  expect(state).toEqual({ ...initialState, volume: 0.3 })
  expect(did).toEqual(['volume', 'prepare-files', 'drop-next', 'stop'])
})

test('an empty player ignores everything but a list', () => {
  const events: PlayerEvent[] = [
    { type: 'play' },
    { type: 'toggle' },
    { type: 'next' },
    { type: 'previous' },
    { type: 'seek', positionS: 3 },
    { type: 'ended' },
    { type: 'refused', refusal: EXHAUSTED },
    { type: 'fade-finished' },
  ]
  expect(run(events)).toMatchObject({ state: initialState, effects: [] })
})

test('a track that was pressed by a visitor plays once they have signed in', () => {
  const asked = run([
    { type: 'play-tracks', tracks: LIST, index: 1 },
    { type: 'refused', refusal: { kind: 'signed-out' } },
  ]).state
  expect(run([{ type: 'signed-in' }], asked)).toMatchObject({
    state: { index: 1, phase: { kind: 'starting' } },
    did: ['load'],
  })
})

test('signing in starts nothing else', () => {
  const exhausted = run(
    [{ type: 'refused', refusal: EXHAUSTED }, { type: 'fade-finished' }],
    PLAYING,
  )
  for (const state of [initialState, PLAYING, exhausted.state])
    expect(run([{ type: 'signed-in' }], state)).toMatchObject({ state, did: [] })
})
