import { expect, test } from 'vitest'
import { initialState } from './machine.ts'
import type { PlayableTrack, PlayerState } from './machine.ts'
import { readQueue, readVolume, saveQueue, saveVolume } from './player-storage.ts'

function storageOf(saved: Record<string, string> = {}) {
  const map = new Map(Object.entries(saved))
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
  const storage = storageOf()
  saveQueue(storage, playing(3, 1), 'ada')
  expect(readQueue(storage, 'ada')).toMatchObject({ index: 1, positionS: 4 })
  expect(readQueue(storage, 'bob')).toBeNull()
  expect(readQueue(storage, null)).toBeNull()
})

test('a very long queue is cut around the current track', () => {
  const storage = storageOf()
  saveQueue(storage, playing(5000, 2500), 'ada')
  const saved = readQueue(storage, 'ada')
  expect(saved?.queue).toHaveLength(200)
  expect(saved?.queue[saved.index]?.id).toBe('t2500')
})

test('an empty player does not overwrite what was saved', () => {
  const storage = storageOf()
  saveQueue(storage, playing(3, 1), 'ada')
  saveQueue(storage, initialState, 'ada')
  expect(readQueue(storage, 'ada')).not.toBeNull()
})

test.each(['', 'null', '[]', '{', '{"queue":[{}],"index":0,"positionS":1,"of":"ada"}'])(
  'invalid stored state is ignored: %j',
  (text) => {
    expect(readQueue(storageOf({ 'mist.queue': text }), 'ada')).toBeNull()
    expect(readVolume(storageOf({ 'mist.loudness': text }))).toBeNull()
  },
)

test('the volume is remembered', () => {
  const storage = storageOf()
  saveVolume(storage, { ...initialState, volume: 0.3, muted: true })
  expect(readVolume(storage)).toEqual({ volume: 0.3, muted: true })
})
