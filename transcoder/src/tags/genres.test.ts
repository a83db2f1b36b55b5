import { expect, test } from 'vitest'
import { readGenres } from './genres.ts'

test.each([
  ['80s', ['80s']],
  ['8-bit', ['8-bit']],
  ['2 Tone', ['2 Tone']],
  ['17', ['Rock']],
  ['(17)', ['Rock']],
  ['(4)Eurodisco', ['Disco', 'Eurodisco']],
  ['(51)(39)', ['Techno-Industrial', 'Noise']],
  ['(RX)', ['Remix']],
  ['((Experimental) jazz', ['(Experimental) jazz']],
  ['Rock (Live)', ['Rock (Live)']],
  ['191', ['Psybient']],
  ['999', ['999']],
  ['Jazz/Funk', ['Jazz', 'Funk']],
  ['Rock; Pop', ['Rock', 'Pop']],
  ['Rock, Pop', ['Rock', 'Pop']],
  ['Folk, World, & Country', ['Folk, World, & Country']],
  ['Electronic, Folk, World, & Country, Pop', ['Electronic', 'Folk, World, & Country', 'Pop']],
  ['Stage, Screen, and Musical; Pop', ['Stage, Screen, and Musical', 'Pop']],
])('%s is read as %j', (value, genres) => {
  const read = readGenres(value, false)
  expect(read.map((each) => each.trim()).filter((each) => each !== '')).toEqual(genres)
})

test('what the format lists is split no more', () => {
  expect(readGenres('Jazz/Funk, mostly', true)).toEqual(['Jazz/Funk, mostly'])
  expect(readGenres('17', true)).toEqual(['Rock'])
})
