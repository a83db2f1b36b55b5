import type { Field } from './fields.ts'

/** Longest value that is kept whole, code units: a long comment, most lyrics. */
const MAX_VALUE_CHARS = 4000

/** All that is kept of one file's tags, code units of names and values. */
const MAX_CHARS = 48_000

/** A field's share of it beside its text, for many small ones take room as well. */
const FIELD_CHARS = 24

/** A file's tags as they are kept. */
export type RawTags = {
  fields: Field[]
  /** Names of fields of which something is missing. */
  cut: string[]
}

/**
 * Bounds a file's tags to what is kept of them: values are cut at 4000 characters, and fields beyond
 * 48,000 in all are left out, the file's last ones. NUL and halves of surrogate pairs, which Postgres
 * can't hold in JSON, become U+FFFD.
 */
export function boundTags(fields: readonly Field[]): RawTags {
  const kept: Field[] = []
  const cut = new Set<string>()
  let left = MAX_CHARS
  for (const { tag, name, values } of fields) {
    const whole = values.map(storable)
    const short = whole.map((value) => storable(value.slice(0, MAX_VALUE_CHARS)))
    const chars = short.reduce((sum, value) => sum + value.length + 4, FIELD_CHARS + name.length)
    if (whole.some((value) => value.length > MAX_VALUE_CHARS) || chars > left) cut.add(name)
    if (chars > left) continue
    left -= chars
    kept.push({ tag, name: storable(name), values: short })
  }
  return { fields: kept, cut: [...cut].map(storable).slice(0, MAX_CUT) }
}

/** So many names of what was cut are told. */
const MAX_CUT = 50

const storable = (text: string) => text.toWellFormed().replaceAll('\0', '\ufffd')
