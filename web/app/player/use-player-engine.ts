import { useEffect, useRef } from 'react'
import type { RefObject } from 'react'
import { browserApi } from '../lib/browser-api.ts'
import { listenToKeys } from './keyboard.ts'
import { currentTrack } from './machine.ts'
import { connectMediaSession } from './media-session.ts'
import { keepLoudness, keepQueue, recallLoudness, recallQueue } from './memory.ts'
import { connect, dispatch, playerState, playerStore } from './store.ts'

type Decks = RefObject<[HTMLAudioElement | null, HTMLAudioElement | null]>

function notesOf(name: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[name]
  } catch {
    return null
  }
}

/** Remembers loudness and queue, follows keys, and shows the system what is playing. */
function attend(listener: () => string | null): () => void {
  const lasting = notesOf('localStorage')
  const passing = notesOf('sessionStorage')
  const loudness = lasting && recallLoudness(lasting)
  if (loudness) {
    dispatch({ type: 'volume', volume: loudness.volume })
    if (loudness.muted) dispatch({ type: 'mute' })
  }
  const saved = passing && recallQueue(passing, listener())
  if (saved) dispatch({ type: 'restore', saved })

  const show = connectMediaSession(dispatch)
  const keep = () => {
    if (passing) keepQueue(passing, playerStore.getState(), listener())
  }
  let keptAtS = -1
  const unsubscribe = playerStore.subscribe((state, before) => {
    show(state)
    const changed =
      currentTrack(state)?.id !== currentTrack(before)?.id || state.queue !== before.queue
    if (changed || Math.abs(state.positionS - keptAtS) >= 2) {
      keptAtS = state.positionS
      keep()
    }
    if (lasting && (state.volume !== before.volume || state.muted !== before.muted)) {
      keepLoudness(lasting, state)
    }
  })
  const deaf = listenToKeys(() => playerStore.getState(), dispatch)
  window.addEventListener('pagehide', keep)
  return () => {
    unsubscribe()
    deaf()
    window.removeEventListener('pagehide', keep)
  }
}

/**
 * Brings the player to life once the page has: loads hls.js, arms the decks, connects the store.
 * Everything here happens in the browser only.
 */
export function usePlayerEngine(decks: Decks, userId: string | null): void {
  const listener = useRef(userId)

  useEffect(() => {
    // What one listener had in the player is not the next one's; signing in keeps it.
    if (listener.current !== null && listener.current !== userId) dispatch({ type: 'forget' })
    listener.current = userId
  }, [userId])

  useEffect(() => attend(() => listener.current), [])

  useEffect(() => {
    // Effects never run on the server; saying so keeps hls.js out of its bundle.
    if (import.meta.env.SSR) return
    const [first, second] = decks.current ?? []
    if (!first || !second) return
    const elements = [first, second] as const
    let isOver = false
    let end = () => {}
    async function begin(): Promise<void> {
      const [{ makeDeck, isPlayable }, { makePlayer }] = await Promise.all([
        import('./hls-engine.ts'),
        import('./player.ts'),
      ])
      if (isOver) return
      if (!isPlayable()) {
        end = connect({
          run: (effect) => {
            if (effect.type !== 'load') return
            const sentence =
              'This browser cannot play here. A current Firefox, Chrome or Safari can.'
            dispatch({ type: 'refused', refusal: { kind: 'failed', sentence } })
          },
          anticipate: () => {},
        })
        return
      }
      const player = makePlayer({
        api: browserApi(),
        makeDeck: (index, onEvent) => makeDeck(elements[index], onEvent),
        dispatch,
        state: playerState,
        fetch: (input, init) => fetch(input, init),
        origin: window.location.origin,
      })
      const disconnect = connect(player)
      document.documentElement.dataset['player'] = 'ready'
      end = () => {
        disconnect()
        player.destroy()
      }
    }
    void begin()
    return () => {
      isOver = true
      end()
    }
  }, [decks])

  useEffect(() => {
    if (userId === null) return
    browserApi()
      .quota()
      .then(
        (quota) => dispatch({ type: 'quota', quota }),
        // The budget is shown where it is known; playing tells it again.
        () => {},
      )
  }, [userId])
}
