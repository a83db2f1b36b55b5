import { expect, test } from 'vitest'
import type { Entry } from './entries.ts'
import { makeRivals } from './rivals.ts'

const entry = (id: string, name: string, ...artists: string[]): Entry => ({
  id,
  name,
  artists,
  script: 'latin',
})

const rivals = makeRivals([
  entry('moon', 'Blue Moon', 'Ada'),
  entry('live', 'Blue Moon (Live)', 'Ada'),
  entry('cover', 'Blue Moon', 'Bo'),
  entry('room', 'Blue Room', 'Ada'),
  entry('mood', 'Blue Mood', 'Ada'),
  entry('accents', 'Blüe Möon Rising', 'Cy'),
  entry('slash', 'AC/DC', 'Di'),
  entry('joined', 'Acdc', 'Ed'),
  entry('light', 'Moonlight Sonata', 'Fay'),
  entry('lamp', 'Moonlamp Sonata', 'Gus'),
])

test.each([
  ['an exact title', { text: 'Blue Moon', meant: 'moon', edits: 0, isWhole: true }, ['cover']],
  ['one with its artist', { text: 'Ada Blue Moon', meant: 'moon', edits: 0, isWhole: true }, []],
  ['a typo', { text: 'bluw moon', meant: 'moon', edits: 1, isWhole: true }, ['cover']],
  // One letter from either.
  [
    'a typo between two',
    { text: 'blue roon', meant: 'moon', edits: 1, isWhole: true },
    ['cover', 'room'],
  ],
  [
    'a typo that is no typo',
    { text: 'blue mood', meant: 'moon', edits: 1, isWhole: true },
    ['cover', 'mood'],
  ],
  ['a missing word', { text: 'blue rising', meant: 'accents', edits: 0, isWhole: false }, []],
  [
    'a common word',
    { text: 'blue moon', meant: 'accents', edits: 0, isWhole: false },
    ['cover', 'live', 'moon'],
  ],
  ['one piece', { text: 'acdc', meant: 'slash', edits: 0, isWhole: true }, ['joined']],
  [
    'a half-typed word',
    { text: 'moonl', meant: 'light', edits: 0, isWhole: false, isHalfTyped: true },
    ['lamp'],
  ],
  [
    'more of it',
    { text: 'moonli', meant: 'light', edits: 0, isWhole: false, isHalfTyped: true },
    [],
  ],
])('%s is answered as well by those that have as much of it', (_, making, expected) => {
  expect(rivals.find(making).sort()).toEqual(expected)
})
