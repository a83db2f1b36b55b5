import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { initialState, step } from './machine.ts'
import type { PlayerEffect, PlayerEvent, PlayerState } from './machine.ts'

/**
 * The one player of the page. Effects wait in line until the engine has arrived, so that a button
 * pressed a moment after the page appeared is not lost.
 */
export const playerStore = createStore<PlayerState>(() => initialState)

type Runner = (effect: PlayerEffect) => void

let runner: Runner | null = null
const waiting: PlayerEffect[] = []

/** Tells the player that something happened. */
export function dispatch(event: PlayerEvent): void {
  const { state, effects } = step(playerStore.getState(), event)
  playerStore.setState(state, true)
  for (const effect of effects) {
    if (runner) runner(effect)
    else waiting.push(effect)
  }
}

/** Connects what carries effects out; returns the way to disconnect it. */
export function connect(run: Runner): () => void {
  runner = run
  for (const effect of waiting.splice(0)) run(effect)
  return () => {
    if (runner === run) runner = null
  }
}

/** Selects from the player's state in a component. */
export function usePlayer<T>(select: (state: PlayerState) => T): T {
  return useStore(playerStore, select)
}
