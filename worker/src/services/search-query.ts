import type { SearchFilters } from '../contract/search.ts'

/** What of a search box is text, and what are filters. */
export type ParsedQuery = { text: string; filters: SearchFilters }

/** The word and its value, which may be in quotes: `genre:"hip hop"`. */
const FILTER = /(^|\s)(genre|year|bpm):(?:"([^"]*)"|(\S+))(?=\s|$)/giu

/** `1994`, `1990-1999`, `1990-`, `-1999`; with an en dash, too. */
const RANGE = /^(\d{1,4})?([-–])?(\d{1,4})?$/u

function parseRange(value: string): { from: number | null; to: number | null } | null {
  const found = RANGE.exec(value)
  if (!found) return null
  const [, low, dash, high] = found
  if (low === undefined && high === undefined) return null
  // Without a dash all digits are the first number's.
  const from = low === undefined ? null : Number(low)
  const to = dash === undefined ? from : high === undefined ? null : Number(high)
  return from !== null && to !== null && from > to ? { from: to, to: from } : { from, to }
}

/**
 * Takes the filters out of what was typed. What only looks like one, such as `year:soon`, is text like all
 * else: it may be a title. Of two of a kind the last one holds.
 */
export function parseQuery(typed: string): ParsedQuery {
  const filters: SearchFilters = {
    genre: null,
    yearFrom: null,
    yearTo: null,
    bpmFrom: null,
    bpmTo: null,
  }
  const text = typed.replace(
    FILTER,
    (all, _start, name: string, quoted: string | undefined, bare: string | undefined) => {
      const value = (quoted ?? bare ?? '').trim()
      if (name.toLowerCase() === 'genre') {
        if (value === '') return all
        filters.genre = value
        return ' '
      }
      const range = parseRange(value)
      if (!range) return all
      if (name.toLowerCase() === 'year') [filters.yearFrom, filters.yearTo] = [range.from, range.to]
      else [filters.bpmFrom, filters.bpmTo] = [range.from, range.to]
      return ' '
    },
  )
  return { text: text.replace(/\s+/gu, ' ').trim(), filters }
}
