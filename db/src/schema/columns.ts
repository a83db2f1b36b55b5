import { type Column, sql, type SQL } from 'drizzle-orm'
import { customType, text, timestamp } from 'drizzle-orm/pg-core'
import type { z } from 'zod'

const toHex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Reads the `\\x…` text form of bytea. */
function byteaFromText(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/**
 * Raw bytes. Drivers disagree about bytea parameters (Neon over HTTP wants text, PGlite bytes), so
 * they travel as hex; they come back as Buffer (node-postgres), bytes (PGlite) or text (Neon).
 */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array | string }>({
  dataType: () => 'bytea',
  toDriver: (bytes) => sql`decode(${toHex(bytes)}, 'hex')`,
  fromDriver: (value) => (typeof value === 'string' ? byteaFromText(value) : new Uint8Array(value)),
})

/** Instants are `timestamptz`, UTC, as Date. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const createdAt = () =>
  instant('created_at')
    .notNull()
    .default(sql`now()`)

type Enum = z.ZodEnum<Readonly<Record<string, string>>>

/** A text that is one of the values which the contract spells. */
export const oneOf = <E extends Enum>(name: string, _values: E) => text(name).$type<z.infer<E>>()

/** The check that goes with it. */
export const isOneOf = (column: Column, values: Enum): SQL =>
  sql`${column} in (${sql.raw(values.options.map((value) => `'${value}'`).join(', '))})`
