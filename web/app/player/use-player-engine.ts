import { useEffect, useRef } from 'react'
import type { RefObject } from 'react'
import { read } from '../lib/api.ts'
import { browserApi } from '../lib/browser-api.ts'
import { listenToKeys } from './keyboard.ts'
import { makeListeningCalls } from './listening-calls.ts'
import { currentTrack } from './machine.ts'
import { connectMediaSession } from './media-session.ts'
import { readQueue, readVolume, saveQueue, saveVolume } from './player-storage.ts'
import { connect, dispatch, playerState, playerStore } from './store.ts'

type Decks = RefObject<[HTMLAudioElement | null, HTMLAudioElement | null]>

/** The browser's storage; null where it is blocked. */
function storageOf(name: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[name]
  } catch {
    return null
  }
}

/** Restores and saves the volume and the queue; connects the keyboard and the media session. */
function connectPage(listener: () => string | null): () => void {
  const localStorage = storageOf('localStorage')
  const sessionStorage = storageOf('sessionStorage')
  const savedVolume = localStorage && readVolume(localStorage)
  if (savedVolume) {
    dispatch({ type: 'volume', volume: savedVolume.volume })
    if (savedVolume.muted) dispatch({ type: 'mute' })
  }
  const savedQueue = sessionStorage && readQueue(sessionStorage, listener())
  if (savedQueue) dispatch({ type: 'restore', saved: savedQueue })

  const showInMediaSession = connectMediaSession(dispatch)
  const save = () => {
    if (sessionStorage) saveQueue(sessionStorage, playerStore.getState(), listener())
  }
  let savedAtS = -1
  const unsubscribeStore = playerStore.subscribe((state, before) => {
    showInMediaSession(state)
    const changed =
      currentTrack(state)?.id !== currentTrack(before)?.id || state.queue !== before.queue
    if (changed || Math.abs(state.positionS - savedAtS) >= 2) {
      savedAtS = state.positionS
      save()
    }
    if (localStorage && (state.volume !== before.volume || state.muted !== before.muted)) {
      saveVolume(localStorage, state)
    }
  })
  const unsubscribeKeys = listenToKeys(() => playerStore.getState(), dispatch)
  window.addEventListener('pagehide', save)
  return () => {
    unsubscribeStore()
    unsubscribeKeys()
    window.removeEventListener('pagehide', save)
  }
}

/**
 * Starts the player once the page has hydrated: loads hls.js, makes the decks, connects the store.
 * Runs in the browser only.
 */
export function usePlayerEngine(decks: Decks, userId: string | null): void {
  const listener = useRef(userId)

  useEffect(() => {
    // One listener's queue is not the next one's; signing in keeps it.
    if (listener.current !== null && listener.current !== userId) dispatch({ type: 'clear' })
    if (listener.current === null && userId !== null) dispatch({ type: 'signed-in' })
    listener.current = userId
  }, [userId])

  useEffect(() => connectPage(() => listener.current), [])

  useEffect(() => {
    // Effects never run on the server; this check keeps hls.js out of its bundle.
    if (import.meta.env.SSR) return
    const [first, second] = decks.current ?? []
    if (!first || !second) return
    const elements = [first, second] as const
    let isUnmounted = false
    let stopEngine = () => {}
    async function startEngine(): Promise<void> {
      const [{ makeDeck, isPlayable }, { makePlayer }] = await Promise.all([
        import('./hls-engine.ts'),
        import('./player.ts'),
      ])
      if (isUnmounted) return
      if (!isPlayable()) {
        stopEngine = connect({
          run: (effect) => {
            if (effect.type !== 'load') return
            const sentence =
              'This browser cannot play music here. Try a current Firefox, Chrome or Safari.'
            dispatch({ type: 'refused', refusal: { kind: 'failed', sentence } })
          },
          preload: () => {},
        })
        return
      }
      const player = makePlayer({
        api: makeListeningCalls(browserApi()),
        makeDeck: (index, onEvent) => makeDeck(elements[index], onEvent),
        dispatch,
        state: playerState,
        fetch: (input, init) => fetch(input, init),
        origin: window.location.origin,
      })
      const disconnect = connect(player)
      document.documentElement.dataset['player'] = 'ready'
      stopEngine = () => {
        disconnect()
        player.destroy()
      }
    }
    void startEngine()
    return () => {
      isUnmounted = true
      stopEngine()
    }
  }, [decks])

  useEffect(() => {
    if (userId === null) return
    read(browserApi().quota.index.$get()).then(
      (quota) => dispatch({ type: 'quota', quota }),
      // Not shown until it is known; playing brings it, too.
      () => {},
    )
  }, [userId])
}
