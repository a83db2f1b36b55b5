import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '@mist/db/contract'
import { z } from 'zod'

/** How a list is asked for: at most `limit` items after `cursor`. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
  cursor: z.string().max(800).optional(),
})
export type PageQuery = z.infer<typeof PageQuery>

/** A page of a list; `nextCursor` is null on the last one. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

export type Page<T> = { items: T[]; nextCursor: string | null }

/**
 * Where a keyset page goes on: after this instant (exact, as text) or this name (as lists are sorted by it),
 * and this id.
 */
export type Keyset = { at: string; id: string }

/** What a list is sorted by. */
export type KeysetKind = 'instant' | 'name'

/**
 * An instant that a row of ours can have. JavaScript and the ISO form know a year 0000, Postgres
 * does not, and nothing here is older than the epoch.
 */
const RowInstant = z.iso.datetime({ precision: 6 }).refine((at) => at >= '1970')

/** What Postgres takes as text. */
const RowText = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'))

const Id = z.uuid().toLowerCase()

// A name is in an object, so that a cursor of one kind is none of the other.
const CURSOR_PARTS = {
  instant: z.tuple([RowInstant, Id]),
  name: z
    .tuple([z.object({ name: RowText }), Id])
    .transform(([{ name }, id]) => [name, id] as const),
}

/** Writes a cursor: opaque to clients, so that its making may change. */
export function encodeCursor({ at, id }: Keyset, kind: KeysetKind = 'instant'): string {
  const bytes = new TextEncoder().encode(JSON.stringify([kind === 'name' ? { name: at } : at, id]))
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}

/** Reads a cursor; null when it is not one of ours. */
export function decodeCursor(cursor: string, kind: KeysetKind = 'instant'): Keyset | null {
  try {
    const binary = atob(cursor.replace(/-/g, '+').replace(/_/g, '/'))
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const [at, id] = CURSOR_PARTS[kind].parse(JSON.parse(text))
    return { at, id }
  } catch {
    return null
  }
}
