import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { initialState, step } from './machine.ts'
import type { PlayableTrack, PlayerEffect, PlayerEvent, PlayerState } from './machine.ts'

/**
 * The one player of the page. Effects wait in line until the engine has arrived, so that a button
 * pressed a moment after the page appeared is not lost.
 */
export const playerStore = createStore<PlayerState>(() => initialState)

/** The machine's state; the store has it a moment later. */
let state = initialState

/** What carries the machine's effects out. */
export type Engine = {
  run: (effect: PlayerEffect) => void
  anticipate: (track: PlayableTrack, likelihood: Likelihood) => void
}

/** How likely a track is to be next: it is on the page, the pointer rests on it, or goes down. */
export type Likelihood = 'offered' | 'pointed-at' | 'pressed'

let engine: Engine | null = null
let offered: PlayableTrack | null = null
const waiting: PlayerEffect[] = []

/**
 * Tells the player that something happened. What is to be done comes first and the page is told
 * after: drawing takes milliseconds in which the request for a session can already travel.
 */
export function dispatch(event: PlayerEvent): void {
  const next = step(state, event)
  state = next.state
  for (const effect of next.effects) {
    if (engine) engine.run(effect)
    else waiting.push(effect)
  }
  playerStore.setState(state, true)
}

/** What the player is doing at this moment. */
export const playerState = (): PlayerState => state

/** Tells the player which track may well be next, so that it can get ready; nothing is leased. */
export function anticipate(track: PlayableTrack, likelihood: Likelihood): void {
  offered ??= track
  engine?.anticipate(track, likelihood)
}

/** Connects what carries effects out; returns the way to disconnect it. */
export function connect(made: Engine): () => void {
  engine = made
  if (offered) made.anticipate(offered, 'offered')
  for (const effect of waiting.splice(0)) made.run(effect)
  return () => {
    if (engine === made) engine = null
  }
}

/** Selects from the player's state in a component. */
export function usePlayer<T>(select: (state: PlayerState) => T): T {
  return useStore(playerStore, select)
}
