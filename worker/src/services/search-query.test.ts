import { expect, test } from 'vitest'
import { parseQuery } from './search-query.ts'

const NONE = { genre: null, yearFrom: null, yearTo: null, bpmFrom: null, bpmTo: null }

test.each([
  ['monkys spining', 'monkys spining', {}],
  ['genre:jazz', '', { genre: 'jazz' }],
  ['blue genre:"hip hop" train', 'blue train', { genre: 'hip hop' }],
  [
    'genre:jazz year:1990-1999 bpm:100-130',
    '',
    { genre: 'jazz', yearFrom: 1990, yearTo: 1999, bpmFrom: 100, bpmTo: 130 },
  ],
  ['Year:1994 x', 'x', { yearFrom: 1994, yearTo: 1994 }],
  ['year:1990- x', 'x', { yearFrom: 1990 }],
  ['year:-1999', '', { yearTo: 1999 }],
  ['year:1999–1990', '', { yearFrom: 1990, yearTo: 1999 }],
  ['year:1990 year:2000', '', { yearFrom: 2000, yearTo: 2000 }],
  // Titles, not filters.
  ['year:soon bpm:- genre:', 'year:soon bpm:- genre:', {}],
  ['genre:"" leap-year:2000', 'genre:"" leap-year:2000', {}],
])('“%s” asks for “%s” with %o', (typed, text, filters) => {
  expect(parseQuery(typed)).toEqual({ text, filters: { ...NONE, ...filters } })
})
