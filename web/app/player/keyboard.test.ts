import { expect, test } from 'vitest'
import { eventOfKey } from './keyboard.ts'

const FREE = { space: false, arrows: false }
const STATE = { phase: { kind: 'playing' }, positionS: 30, volume: 1 } as const

test.each([
  [' ', { type: 'toggle' }],
  ['ArrowRight', { type: 'seek', positionS: 35 }],
  ['ArrowLeft', { type: 'seek', positionS: 25 }],
  ['a', null],
])('%j means %j', (key, event) => {
  expect(eventOfKey({ key, isModified: false, isTaken: FREE }, STATE)).toEqual(event)
})

test('keys with modifiers belong to the browser', () => {
  expect(eventOfKey({ key: ' ', isModified: true, isTaken: FREE }, STATE)).toBeNull()
})

test('a focused button takes the space bar, a slider the arrows', () => {
  const button = { space: true, arrows: false }
  const slider = { space: false, arrows: true }
  expect(eventOfKey({ key: ' ', isModified: false, isTaken: button }, STATE)).toBeNull()
  expect(eventOfKey({ key: 'ArrowLeft', isModified: false, isTaken: slider }, STATE)).toBeNull()
  expect(eventOfKey({ key: ' ', isModified: false, isTaken: slider }, STATE)).not.toBeNull()
})

test('an empty player leaves the keys to the page', () => {
  const empty = { ...STATE, phase: { kind: 'empty' } } as const
  expect(eventOfKey({ key: ' ', isModified: false, isTaken: FREE }, empty)).toBeNull()
})
