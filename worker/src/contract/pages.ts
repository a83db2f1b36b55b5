import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '@mist/db/contract'
import { z } from 'zod'

/** How a list is asked for: at most `limit` items after `cursor`. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
  cursor: z.string().max(500).optional(),
})
export type PageQuery = z.infer<typeof PageQuery>

/** A page of a list; `nextCursor` is null on the last one. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

export type Page<T> = { items: T[]; nextCursor: string | null }

/** Where a keyset page goes on: after this instant (exact, as text) and this id. */
export type Keyset = { at: string; id: string }

/**
 * An instant that a row of ours can have. JavaScript and the ISO form know a year 0000, Postgres
 * does not, and nothing here is older than the epoch.
 */
const RowInstant = z.iso.datetime({ precision: 6 }).refine((at) => at >= '1970')

const CursorParts = z.tuple([RowInstant, z.uuid().toLowerCase()])

/** Writes a cursor: opaque to clients, so that its making may change. */
export function encodeCursor({ at, id }: Keyset): string {
  return btoa(JSON.stringify([at, id]))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}

/** Reads a cursor; null when it is not one of ours. */
export function decodeCursor(cursor: string): Keyset | null {
  try {
    const text = atob(cursor.replace(/-/g, '+').replace(/_/g, '/'))
    const [at, id] = CursorParts.parse(JSON.parse(text))
    return { at, id }
  } catch {
    return null
  }
}
