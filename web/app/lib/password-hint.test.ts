import { expect, test } from 'vitest'
import { passwordHint } from './password-hint.ts'

const person = { email: 'ada@engine.example', username: 'countess' }

test.each([
  ['correct', 0, /long enough/],
  ['🎵🎶🎷🎸🎹🎺🎻🥁🪕', 0, /long enough/],
  ['1234567890', 0, /row of keys/],
  ['          ', 0, /row of keys/],
  ['countess 1815', 0, /Names/],
  ['red kettle', 1, /Fair/],
  ['red kettle fox', 2, /Good/],
  ['red kettle fox moon', 3, /Strong/],
])('%j is hinted at as %d', (password, level, sentence) => {
  expect(passwordHint(password, person)).toEqual({
    level,
    sentence: expect.stringMatching(sentence),
  })
})

test('nothing is said before anything is typed', () => {
  expect(passwordHint('', person)).toBeNull()
})
