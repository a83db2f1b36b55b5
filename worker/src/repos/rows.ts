import { PlanId, Role, type TrackId, UserId } from '@mist/db/contract'
import { camelCased } from '@mist/db/statements'
import { type Column, sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { User } from '../contract/accounts.ts'
import type { Keyset } from '../contract/pages.ts'
import type { JsonQuery, Database, Param } from '../platform/database.ts'

/**
 * A repo selects through drizzle's columns, which infer its rows. Raw SQL is left for statements that carry
 * a rule; their rows come through here, camel-cased and parsed, since drivers give bigint as text, and
 * instants as text or Date.
 */
export const Instant = z
  .union([z.date(), z.string()])
  .transform((value) => (value instanceof Date ? value : new Date(value)))

/** A bigint that fits a number: milliseconds, counts, bytes. */
export const Big = z.coerce.number().int()

/** Bytes that a statement encoded as base64. */
export const Base64 = z
  .string()
  .transform((text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)))

/** What an account is to its owner. */
export const UserRow = z.object({
  id: UserId,
  email: z.string(),
  username: z.string(),
  role: Role,
  plan: PlanId,
}) satisfies z.ZodType<User>

/** A row as JSON: what the meter's functions answer with. */
export const JsonRow = z.record(z.string(), z.unknown())

/** Parses one row of raw SQL. */
export const parseRow = <S extends z.ZodType>(schema: S, row: unknown): z.infer<S> =>
  schema.parse(camelCased(JsonRow.parse(row)))

/** Bytes in Postgres's own text form, `\x…`. */
export const Hex = z
  .string()
  .transform((text) =>
    Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
  )

/** Runs one statement that always answers with one row, and parses it. */
export async function onlyRow<S extends z.ZodType>(
  db: Database,
  schema: S,
  statement: SQL,
): Promise<z.infer<S>> {
  const { rows } = await db.execute(statement)
  return parseRow(schema, rows[0])
}

/**
 * Calls one of the meter's functions and parses its answer, one JSON value: measured, a row of columns
 * costs the database and its proxy a tenth of a millisecond more, and this is asked at every key. No
 * query builder, for the same reason.
 *
 * @param call such as `lease_key_periods($1, $2)`; of JSON, or made so with `to_json`
 */
export async function answerOf<S extends z.ZodType>(
  queryJson: JsonQuery,
  schema: S,
  call: string,
  params: Param[],
): Promise<z.infer<S>> {
  return parseRow(schema, await queryJson(`select ${call} as answer`, params))
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

/** Rows of a list by (instant, id), latest first, that come after the last one of the page before. */
export const isAfter = (instant: Column, id: Column, after: Keyset | null): SQL | undefined =>
  after ? sql`(${instant}, ${id}) < (${after.at}::timestamptz, ${after.id}::uuid)` : undefined

/**
 * What a list is sorted by in the order of names: without case and accents, the first 60 characters, so that a
 * cursor stays short. Indexes are on this very expression.
 */
export const nameOrder = (name: Column | SQL): SQL<string> =>
  sql<string>`left(fold_v1(${name}), 60) collate "C"`

/** Rows of a list by (name, id) that come after the last one of the page before. */
export const isAfterName = (name: SQL, id: Column, after: Keyset | null): SQL | undefined =>
  after ? sql`(${name}, ${id}) > (${after.at}::text, ${after.id}::uuid)` : undefined

/**
 * The latest first, as drizzle's `.desc()` has it in indexes: nulls last. To `desc()` belongs nulls first, for which
 * Postgres uses none of these indexes, not even of columns that are never null.
 */
export const latestFirst = (...columns: Column[]): SQL[] =>
  columns.map((column) => sql`${column} desc nulls last`)

/** The exact text of an instant, microseconds and all: a Date would round it, and paging by it skip. */
export const exactInstant = (column: Column): SQL<string> =>
  sql<string>`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** A name as it is shown: without `NAMESAKE_MARK`. */
export const shownName = (column: Column | SQL): SQL<string> =>
  sql<string>`rtrim(${column}, U&'\\2063')`

/** The track whose cover is shown, and the version that holds it. */
export type CoverOf = { trackId: TrackId; version: number } | null
