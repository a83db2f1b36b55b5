import { deletionsOf, isWithinOneEdit } from './edits.ts'
import type { Entry } from './entries.ts'
import { squeeze, wordsOf } from './fold.ts'

/** How a query was made of the entry that it means. */
export type Making = {
  text: string
  meant: string
  /** Letters wrong, missing, too many or transposed; in each word one at most. */
  edits: number
  /** Whether the query has all words of the title or name. */
  isWhole: boolean
  /** Whether the last word is only begun. */
  isHalfTyped?: boolean
}

type Indexed = { id: string; name: Set<string>; all: Set<string>; squeezed: string }

/**
 * Finds, for a query, the entries that answer it as well as the one that it means: a search cannot
 * know which of them is meant, so such a query is not asked.
 *
 * An entry is a rival when all words of the query are among its words, its artists' included, with no
 * more edits than in the one that is meant; unless the one that is meant is called exactly so, with as
 * many edits, while the other's name has words more.
 */
export function makeRivals(entries: readonly Entry[]) {
  const indexed = entries.map(({ id, name, artists }): Indexed => {
    const own = wordsOf(name)
    return {
      id,
      name: new Set(own),
      all: new Set([...own, ...artists.flatMap(wordsOf)]),
      squeezed: squeeze(name),
    }
  })
  const byWord = groupBy(indexed, ({ all }) => all)
  const bySqueezed = groupBy(indexed, ({ squeezed }) => [squeezed])
  const vocabulary = [...byWord.keys()].sort()
  const byDeletion = groupBy(vocabulary, deletionsOf)
  const squeezedByDeletion = groupBy([...bySqueezed.keys()], deletionsOf)

  /** Words of the catalogue that a word of the query may mean. */
  function meanings(word: string, isBegun: boolean, edits: number): Set<string> {
    if (isBegun) return new Set(startingWith(vocabulary, word))
    return edits > 0 ? near(byDeletion, word) : new Set([word])
  }

  return {
    /** Identifiers of the entries that answer as well. */
    find({ text, meant, edits, isWhole, isHalfTyped = false }: Making): string[] {
      const typed = wordsOf(text)
      const possible = typed.map((word, index) =>
        meanings(word, isHalfTyped && index === typed.length - 1, edits),
      )
      const [fewest = []] = possible
        .map((words) => [...words].flatMap((word) => byWord.get(word) ?? []))
        .sort((a, b) => a.length - b.length)
      const rivals = new Set<string>()
      for (const other of new Set(fewest)) {
        const cost = costOf(other, typed, possible, isHalfTyped)
        if (cost > edits) continue
        const hasMore = [...other.name].some((word) => !possible.some((set) => set.has(word)))
        if (!(isWhole && hasMore && cost === edits)) rivals.add(other.id)
      }
      const inOnePiece = squeeze(text)
      const alike = isHalfTyped
        ? [inOnePiece]
        : edits > 0
          ? near(squeezedByDeletion, inOnePiece)
          : [inOnePiece]
      for (const each of alike) for (const { id } of bySqueezed.get(each) ?? []) rivals.add(id)
      rivals.delete(meant)
      return [...rivals]
    },
  }
}

/** Words of the query that the entry has only in another spelling; endless where it lacks one. */
function costOf(
  { all }: Indexed,
  typed: readonly string[],
  possible: readonly Set<string>[],
  isHalfTyped: boolean,
): number {
  let cost = 0
  for (const [index, word] of typed.entries()) {
    if (all.has(word)) continue
    if (![...all].some((other) => possible[index]!.has(other))) return Infinity
    const isBegun = isHalfTyped && index === typed.length - 1
    if (!isBegun) cost++
  }
  return cost
}

/** What lies within one edit of a word; `deletions` tells who shares one with it. */
function near(deletions: Map<string, string[]>, word: string): Set<string> {
  const sharing = deletionsOf(word).flatMap((deletion) => deletions.get(deletion) ?? [])
  return new Set(sharing.filter((other) => isWithinOneEdit(word, other)))
}

function startingWith(sorted: readonly string[], prefix: string): string[] {
  let low = 0
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < prefix) low = middle + 1
    else high = middle
  }
  const found: string[] = []
  for (let word = sorted[low]; word?.startsWith(prefix) === true; word = sorted[++low])
    found.push(word)
  return found
}

function groupBy<T>(items: readonly T[], keysOf: (item: T) => Iterable<string>): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items)
    for (const key of keysOf(item)) {
      const group = groups.get(key)
      if (group) group.push(item)
      else groups.set(key, [item])
    }
  return groups
}
