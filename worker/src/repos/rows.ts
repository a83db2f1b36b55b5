import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Ask, Database, Param } from '../platform/database.ts'

/**
 * What comes back from raw SQL depends on the driver's mood: bigint as text, instants as text or
 * Date. These schemas say what we make of it.
 */
export const Instant = z
  .union([z.date(), z.string()])
  .transform((value) => (value instanceof Date ? value : new Date(value)))

/** A bigint that fits a number: milliseconds, counts, bytes. */
export const Big = z.coerce.number().int()

/** Bytes that the statement encoded as base64. */
export const Base64 = z
  .string()
  .transform((text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)))

/** Runs one statement and parses its rows. */
export async function rowsOf<S extends z.ZodType>(
  db: Database,
  schema: S,
  statement: SQL,
): Promise<z.infer<S>[]> {
  const { rows } = await db.execute(statement)
  return z.array(schema).parse(rows)
}

/** Runs one statement and parses its first row; null when there is none. */
export async function rowOf<S extends z.ZodType>(
  db: Database,
  schema: S,
  statement: SQL,
): Promise<z.infer<S> | null> {
  const { rows } = await db.execute(statement)
  return rows.length === 0 ? null : schema.parse(rows[0])
}

/** Runs one statement that always answers with one row, and parses it. */
export async function onlyRow<S extends z.ZodType>(
  db: Database,
  schema: S,
  statement: SQL,
): Promise<z.infer<S>> {
  const { rows } = await db.execute(statement)
  return schema.parse(rows[0])
}

/**
 * Calls one of the meter's functions and parses its answer, one JSON value: measured, a row of columns
 * costs the database and its proxy a tenth of a millisecond more, and this is asked at every key. No
 * query builder, for the same reason.
 *
 * @param call such as `lease_key_period($1, $2)`; of JSON, or made so with `to_json`
 */
export async function answerOf<S extends z.ZodType>(
  ask: Ask,
  schema: S,
  call: string,
  params: Param[],
): Promise<z.infer<S>> {
  return schema.parse(await ask(`select ${call} as answer`, params))
}

/** An instant as a parameter. */
export const at = (instant: Date): SQL => sql`${instant.toISOString()}::timestamptz`

/**
 * Now, as a parameter. A machine's clock may be wrong by days: what counts, ends or deletes by it must be
 * held against the database's own, which all Workers share (`bounded_now`).
 */
export const boundedNow = (now: Date): SQL => sql`bounded_now(${at(now)})`

/** How a repo hands over what its caller's clock says: {@link boundedNow}, or {@link at} where a test owns it. */
export type AsOf = typeof boundedNow

/** Raw bytes as a parameter; hex, for drivers disagree about bytea. */
export const bytes = (value: Uint8Array): SQL =>
  sql`decode(${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}, 'hex')`

/** Raw bytes, or null, as a parameter. */
export const maybeBytes = (value: Uint8Array | null): SQL =>
  value === null ? sql`null::bytea` : bytes(value)

/** The exact text of an instant, microseconds and all: a Date would round it, and paging by it skip. */
export const exactInstant = (column: SQL): SQL =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
