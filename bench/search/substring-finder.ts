import { ENTRY_TYPES, type Entries, type EntryType } from './entries.ts'
import { wordsOf } from './fold.ts'
import type { Finder } from './score.ts'

const SHOWN = 10

/**
 * What many a catalogue calls search: everything whose title or artist contains the text, the shorter
 * titles first. The least that a search must beat.
 */
export function makeSubstringFinder(entries: Entries): Finder {
  const texts = {
    tracks: textsOf(entries, 'tracks'),
    artists: textsOf(entries, 'artists'),
    albums: textsOf(entries, 'albums'),
  }
  return async (text) => {
    const wanted = wordsOf(text).join(' ')
    const found: Record<EntryType, string[]> = { tracks: [], artists: [], albums: [] }
    for (const type of ENTRY_TYPES)
      found[type] = texts[type]
        .filter((entry) => entry.name.includes(wanted) || entry.full.includes(wanted))
        .sort((a, b) => a.name.length - b.name.length)
        .slice(0, SHOWN)
        .map(({ id }) => id)
    return found
  }
}

function textsOf(entries: Entries, type: EntryType) {
  return entries[type].map(({ id, name, artists }) => ({
    id,
    name: wordsOf(name).join(' '),
    full: wordsOf([...artists, name].join(' ')).join(' '),
  }))
}
