import { expect, test } from 'vitest'
import { makeRandom } from '../lib/random.ts'
import { makeCatalogue } from '../names/make-catalogue.ts'
import { isWithinOneEdit, withTransposition, withTypo } from './edits.ts'
import { entriesOf } from './entries.ts'
import { makeKnownQueries } from './known-queries.ts'
import { makeQueries, QUERY_CLASSES } from './queries.ts'
import { ask, score } from './score.ts'
import { makeSubstringFinder } from './substring-finder.ts'

const TRACKS = 1500
const entries = entriesOf(makeCatalogue({ seed: 7, tracks: TRACKS }))

test('the same seed makes the same catalogue, and a larger one begins with it', () => {
  expect(entriesOf(makeCatalogue({ seed: 7, tracks: TRACKS }))).toEqual(entries)
  const larger = entriesOf(makeCatalogue({ seed: 7, tracks: 2 * TRACKS }))
  expect(larger.tracks.slice(0, entries.tracks.length)).toEqual(entries.tracks)
  expect(entriesOf(makeCatalogue({ seed: 8, tracks: TRACKS }))).not.toEqual(entries)
})

test('the catalogue has several scripts, duplicates, and no identifier twice', () => {
  const { tracks, artists, albums } = entries
  expect(new Set(tracks.map(({ script }) => script))).toEqual(
    new Set(['latin', 'cyrillic', 'greek', 'cjk', 'rtl']),
  )
  expect(new Set(tracks.map(({ name }) => name)).size).toBeLessThan(tracks.length)
  const all = [...tracks, ...artists, ...albums].map(({ id }) => id)
  expect(new Set(all).size).toBe(all.length)
  for (const id of all)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  for (const { name } of [...tracks, ...artists, ...albums])
    expect(name).not.toMatch(/undefined|[{}]|^\s*$/)
})

test('a typo or a transposition is one edit away, in every script', () => {
  const random = makeRandom(1)
  for (const word of [
    'spinning',
    'звезда',
    'αγάπη',
    'シャボン玉',
    '해바라기처럼',
    'الفراشة',
    'ירושלים',
  ])
    for (let round = 0; round < 200; round++) {
      expect([word, isWithinOneEdit(word, withTypo(random, word))]).toEqual([word, true])
      const transposed = withTransposition(random, word)!
      expect(transposed).not.toBe(word)
      expect(isWithinOneEdit(word, transposed)).toBe(true)
    }
  expect(isWithinOneEdit('spinning', 'spining')).toBe(true)
  expect(isWithinOneEdit('spinning', 'sponing')).toBe(false)
  expect(isWithinOneEdit('ab', 'ba')).toBe(true)
  expect(isWithinOneEdit('abc', 'cab')).toBe(false)
})

test('every class has queries, each means an entry, and none has a rival with the same text', () => {
  const { queries, leftOut } = makeQueries(makeRandom(2), entries, 40)
  for (const { name } of QUERY_CLASSES) {
    const own = queries.filter((query) => query.class === name)
    expect([name, own.length]).toEqual([name, 40])
    expect(leftOut[name]).toBeGreaterThanOrEqual(0)
  }
  expect(leftOut['exact title']).toBeGreaterThan(0)
  for (const query of queries.filter((each) => each.class === 'exact title')) {
    const alike = entries[query.type].filter(({ name }) => name === query.text)
    expect(alike.map(({ id }) => id)).toEqual([query.meant])
  }
  expect(makeKnownQueries(entries).length).toBeGreaterThan(30)
})

test('substrings find what is spelled right and not what is mistyped', async () => {
  const { queries, leftOut } = makeQueries(makeRandom(2), entries, 40)
  const outcomes = await ask(makeSubstringFinder(entries), queries)
  const of = (name: string) => score(outcomes, leftOut).find((each) => each.class === name)!
  expect(of('exact title').first).toBeGreaterThan(0.95)
  expect(of('one typo')).toMatchObject({ isReached: false, goal: { first: 0.9, five: 0.98 } })
  expect(of('one typo').five).toBeLessThan(0.5)
})
