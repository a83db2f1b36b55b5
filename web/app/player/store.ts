import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { initialState, step } from './machine.ts'
import type { PlayableTrack, PlayerEffect, PlayerEvent, PlayerState } from './machine.ts'

/**
 * The page's player state. Effects are queued until the engine has loaded, so that a button pressed
 * right after the page appeared is not lost.
 */
export const playerStore = createStore<PlayerState>(() => initialState)

/** The machine's state; the store follows after the effects have run. */
let state = initialState

/** Runs the machine's effects. */
export type Engine = {
  run: (effect: PlayerEffect) => void
  preload: (track: PlayableTrack, trigger: PreloadTrigger) => void
}

/** Why a track may be played next: it is listed first, hovered, or being pressed. */
export type PreloadTrigger = 'listed' | 'hovered' | 'pressed'

let engine: Engine | null = null
let firstListed: PlayableTrack | null = null
const queuedEffects: PlayerEffect[] = []

/**
 * Applies an event. Effects run before React is notified: rendering takes milliseconds in which the
 * request for a session can already be on its way.
 */
export function dispatch(event: PlayerEvent): void {
  const next = step(state, event)
  state = next.state
  for (const effect of next.effects) {
    if (engine) engine.run(effect)
    else queuedEffects.push(effect)
  }
  playerStore.setState(state, true)
}

/** The player's state now. */
export const playerState = (): PlayerState => state

/** Prepares a track that may be played next. Only public files are fetched; nothing is leased. */
export function preload(track: PlayableTrack, trigger: PreloadTrigger): void {
  firstListed ??= track
  engine?.preload(track, trigger)
}

/** Connects the engine and runs the queued effects; returns the function that disconnects it. */
export function connect(made: Engine): () => void {
  engine = made
  if (firstListed) made.preload(firstListed, 'listed')
  for (const effect of queuedEffects.splice(0)) made.run(effect)
  return () => {
    if (engine === made) engine = null
  }
}

/** Selects from the player's state in a component. */
export function usePlayer<T>(select: (state: PlayerState) => T): T {
  return useStore(playerStore, select)
}
