import { expect, test } from 'vitest'
import { initialState } from './machine.ts'
import type { PlayableTrack, PlayerState } from './machine.ts'
import { keepLoudness, keepQueue, recallLoudness, recallQueue } from './memory.ts'

function notes(kept: Record<string, string> = {}) {
  const map = new Map(Object.entries(kept))
  return {
    getItem: (name: string) => map.get(name) ?? null,
    setItem: (name: string, value: string) => void map.set(name, value),
    removeItem: (name: string) => void map.delete(name),
  }
}

function track(id: string): PlayableTrack {
  return { id, title: id, artists: 'x', durationS: 9, version: 1, coverUrls: null }
}

function playing(count: number, index: number): PlayerState {
  const queue = Array.from({ length: count }, (_, number) => track(`t${number}`))
  return { ...initialState, queue, index, positionS: 4, phase: { kind: 'playing' } }
}

test('the queue of a listener is found again by the same listener only', () => {
  const kept = notes()
  keepQueue(kept, playing(3, 1), 'ada')
  expect(recallQueue(kept, 'ada')).toMatchObject({ index: 1, positionS: 4 })
  expect(recallQueue(kept, 'bob')).toBeNull()
  expect(recallQueue(kept, null)).toBeNull()
})

test('a very long queue is cut around the current track', () => {
  const kept = notes()
  keepQueue(kept, playing(5000, 2500), 'ada')
  const saved = recallQueue(kept, 'ada')
  expect(saved?.queue).toHaveLength(200)
  expect(saved?.queue[saved.index]?.id).toBe('t2500')
})

test('an empty player does not overwrite what was kept', () => {
  const kept = notes()
  keepQueue(kept, playing(3, 1), 'ada')
  keepQueue(kept, initialState, 'ada')
  expect(recallQueue(kept, 'ada')).not.toBeNull()
})

test.each(['', 'null', '[]', '{', '{"queue":[{}],"index":0,"positionS":1,"of":"ada"}'])(
  'kept nonsense is as good as nothing: %j',
  (text) => {
    expect(recallQueue(notes({ 'mist.queue': text }), 'ada')).toBeNull()
    expect(recallLoudness(notes({ 'mist.loudness': text }))).toBeNull()
  },
)

test('loudness is remembered', () => {
  const kept = notes()
  keepLoudness(kept, { ...initialState, volume: 0.3, muted: true })
  expect(recallLoudness(kept)).toEqual({ volume: 0.3, muted: true })
})
