import type { Random } from '../lib/random.ts'
import type { Script } from '../names/tongues/tongue.ts'
import { TYPO_MIN_LETTERS, withTransposition, withTypo } from './edits.ts'
import type { Entries, Entry, EntryType } from './entries.ts'
import { fold, squeeze, wordsOf } from './fold.ts'
import { makeRivals, type Making } from './rivals.ts'

/** Shares to reach at rank 1 and within the first five. */
type Goal = { first: number; five: number }

const TYPO_GOAL: Goal = { first: 0.9, five: 0.98 }

/** What a person does to a name, on purpose or not, while typing it. */
export type QueryClass = {
  name: string
  goal?: Goal
  /** Null where this can't be done to the entry. */
  make: (random: Random, entry: Entry) => Omit<Making, 'meant'> | null
}

export const QUERY_CLASSES: readonly QueryClass[] = [
  {
    name: 'exact title',
    goal: { first: 1, five: 1 },
    make: (_, { name }) => ({ text: name, edits: 0, isWhole: true }),
  },
  {
    name: 'in small plain letters',
    make: (_, { name }) => whole(fold(name), 0),
  },
  {
    name: 'in one piece',
    make: (_, { name }) => (wordsOf(name).length > 1 ? whole(squeeze(name), 0) : null),
  },
  {
    name: 'one typo',
    goal: TYPO_GOAL,
    make: (random, { name }) => mistyped(random, name, 1, withTypo),
  },
  {
    name: 'one transposition',
    goal: TYPO_GOAL,
    make: (random, { name }) => mistyped(random, name, 1, withTransposition),
  },
  {
    name: 'a typo in each of two words',
    make: (random, { name }) => mistyped(random, name, 2, withTypo),
  },
  {
    name: 'a word missing',
    make(random, { name }) {
      const words = wordsOf(name)
      if (words.length < 3) return null
      return {
        text: words.toSpliced(random.below(words.length), 1).join(' '),
        edits: 0,
        isWhole: false,
      }
    },
  },
  {
    name: 'half-typed',
    make(random, { name }) {
      const words = wordsOf(name)
      const last = Array.from(words.at(-1) ?? '')
      if (last.length < 3) return null
      const kept = last.slice(0, 2 + random.below(last.length - 2)).join('')
      return {
        text: [...words.slice(0, -1), kept].join(' '),
        edits: 0,
        isWhole: true,
        isHalfTyped: true,
      }
    },
  },
  {
    name: 'artist and title',
    make: (random, { name, artists }) => withArtist(random, name, artists),
  },
  {
    name: 'artist and title, one typo',
    make(random, { name, artists }) {
      const typed = mistyped(random, name, 1, withTypo)
      const both = typed && withArtist(random, typed.text, artists)
      return both && { ...both, edits: 1 }
    },
  },
]

function whole(text: string, edits: number) {
  return text === '' ? null : { text, edits, isWhole: true }
}

function withArtist(random: Random, title: string, artists: readonly string[]) {
  const [artist] = artists
  if (artist === undefined) return null
  return whole(random.chance(0.5) ? `${artist} ${title}` : `${title} ${artist}`, 0)
}

/** Spoils `count` words of a name that are long enough. */
function mistyped(
  random: Random,
  name: string,
  count: number,
  spoil: (random: Random, word: string) => string | null,
) {
  const words = wordsOf(name)
  const long = words.flatMap((word, at) =>
    Array.from(word).length >= TYPO_MIN_LETTERS ? [at] : [],
  )
  if (long.length < count) return null
  for (let done = 0; done < count; done++) {
    const [at] = long.splice(random.below(long.length), 1)
    const spoiled = spoil(random, words[at!]!)
    if (spoiled === null || spoiled === words[at!]) return null
    words[at!] = spoiled
  }
  return whole(words.join(' '), count)
}

/** Something that is asked, and what is to be found. */
export type Query = { class: string; type: EntryType; script: Script; text: string; meant: string }

/** Of each class: the queries, and how many others more than one entry would have answered as well. */
export type MadeQueries = { queries: Query[]; leftOut: Record<string, number> }

const TYPE_SHARES: readonly EntryType[] = ['tracks', 'tracks', 'tracks', 'albums', 'artists']

/** Makes `perClass` queries of each class whose answer is known. */
export function makeQueries(random: Random, entries: Entries, perClass: number): MadeQueries {
  const rivals = {
    tracks: makeRivals(entries.tracks),
    artists: makeRivals(entries.artists),
    albums: makeRivals(entries.albums),
  }
  const queries: Query[] = []
  const leftOut: Record<string, number> = {}
  for (const { name, make } of QUERY_CLASSES) {
    let made = 0
    let left = 0
    // Some classes fit few entries; where hardly any does, there are fewer queries.
    for (let tries = 0; made < perClass && tries < perClass * 50; tries++) {
      const type = random.pick(TYPE_SHARES)
      const entry = random.pick(entries[type])
      const making = make(random, entry)
      if (making === null) continue
      if (rivals[type].find({ ...making, meant: entry.id }).length > 0) {
        left++
        continue
      }
      queries.push({ class: name, type, script: entry.script, text: making.text, meant: entry.id })
      made++
    }
    leftOut[name] = left
  }
  return { queries, leftOut }
}
