import {
  decodeCursor,
  encodeCursor,
  type Keyset,
  type KeysetKind,
  type Page,
  type PageQuery,
} from '../contract/pages.ts'
import { Problem } from '../problem.ts'

/**
 * Answers one page of a keyset list. One row more than asked for is fetched: it tells whether there
 * is a next page.
 *
 * @throws Problem validation-failed when the cursor is not one of ours
 */
export async function pageThrough<R, T>(
  { limit, cursor }: PageQuery,
  fetchRows: (limit: number, after: Keyset | null) => Promise<R[]>,
  keysetOf: (row: R) => Keyset,
  present: (row: R) => T,
  kind: KeysetKind = 'instant',
): Promise<Page<T>> {
  const after = cursor === undefined ? null : decodeCursor(cursor, kind)
  if (cursor !== undefined && after === null)
    throw new Problem(
      'validation-failed',
      'Ask for the first page again: this cursor is not known.',
      {
        errors: [{ path: 'cursor', message: 'This is not a cursor of this list.' }],
      },
    )
  const rows = await fetchRows(limit + 1, after)
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(present),
    nextCursor:
      rows.length > limit && last !== undefined ? encodeCursor(keysetOf(last), kind) : null,
  }
}
