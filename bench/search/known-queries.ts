import { TYPED } from '../names/known-names.ts'
import type { Entries } from './entries.ts'
import type { Query } from './queries.ts'

/** Names as people are known to type them, asked of the entries that bear them. */
export function makeKnownQueries(entries: Entries): Query[] {
  return TYPED.map(({ text, type, meant }) => {
    const entry = entries[type].find(({ name }) => name === meant)
    if (entry === undefined) throw new Error(`the catalogue lacks ${meant}`)
    return { class: 'as people type', type, script: entry.script, text, meant: entry.id }
  })
}
