import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** Where each release keeps what it was: `VERSION/record.json` and `VERSION/schema.json`. */
export const RELEASES_FOLDER = fileURLToPath(new URL('../releases', import.meta.url))

/** A column, as far as a program that is older than the schema depends on it. */
const Column = z.object({
  table: z.string(),
  name: z.string(),
  type: z.string(),
  /** Whether an insert may leave it out. */
  optional: z.boolean(),
})

/** What a schema offers to those who ask it. */
export const SchemaFacts = z.object({
  columns: z.array(Column),
  /** What `on conflict` can name: `table: columns and condition`. */
  uniques: z.array(z.string()),
  /** Name, arguments with their defaults, and what is answered. */
  functions: z.array(z.object({ name: z.string(), args: z.string(), result: z.string() })),
})
export type SchemaFacts = z.infer<typeof SchemaFacts>

export const ReleaseRecord = z.object({
  version: z.string().regex(/^\d+\.\d+\.\d+[\w.-]*$/),
  /** The commit that was released. */
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  /** SHA-256 of the Worker's bundle, as `wrangler deploy` uploads it. */
  workerSha256: z.string().regex(/^[0-9a-f]{64}$/),
  migrations: z.array(z.string()),
  /** The SQL functions that its Worker and its transcoder call by name. */
  calls: z.array(z.string()),
  /**
   * Those of the schema's `uniques` on which none of its statements counts, in `on conflict` or by the error:
   * noted by whoever has read them all, when a later schema parts with one.
   */
  unasked: z.array(z.string()).optional(),
})
export type ReleaseRecord = z.infer<typeof ReleaseRecord>

/** One query, one JSON value, sorted: the same schema always gives the same text. */
export const SCHEMA_FACTS_SQL = `
  select json_build_object(
    'columns', (
      select json_agg(json_build_object(
        'table', c.relname, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'optional', not a.attnotnull or a.atthasdef or a.attidentity <> ''
      ) order by c.relname, a.attname)
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
        and a.attnum > 0 and not a.attisdropped
    ),
    'uniques', (
      select json_agg(t.relname || ': ' || substring(pg_get_indexdef(i.indexrelid) from ' USING (.*)$')
        order by t.relname, pg_get_indexdef(i.indexrelid))
      from pg_index i join pg_class t on t.oid = i.indrelid
      where t.relnamespace = 'public'::regnamespace and i.indisunique
    ),
    'functions', (
      select json_agg(json_build_object(
        'name', p.proname, 'args', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid)
      ) order by p.proname, pg_get_function_arguments(p.oid))
      from pg_proc p join pg_language l on l.oid = p.prolang
      where p.pronamespace = 'public'::regnamespace and l.lanname in ('sql', 'plpgsql')
    )
  ) as facts`

/** By version, from the lowest: 0.10.0 is above 0.9.0. */
function byVersion(one: ReleaseRecord, other: ReleaseRecord): number {
  return one.version.localeCompare(other.version, 'en', { numeric: true })
}

/** Reads the records of all releases, the newest last. */
export async function readReleases(folder = RELEASES_FOLDER): Promise<ReleaseRecord[]> {
  const names = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const records = await Promise.all(
    names
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) =>
        ReleaseRecord.parse(JSON.parse(await readFile(join(folder, name, 'record.json'), 'utf8'))),
      ),
  )
  return records.sort(byVersion)
}

/** Reads the schema that a release was made with. */
export async function readReleasedSchema(
  version: string,
  folder = RELEASES_FOLDER,
): Promise<SchemaFacts> {
  return SchemaFacts.parse(JSON.parse(await readFile(join(folder, version, 'schema.json'), 'utf8')))
}

const functionText = ({ name, args, result }: SchemaFacts['functions'][number]) =>
  `${name}(${args}) returns ${result}`

const columnOf = ({ table, name }: { table: string; name: string }) => `${table}.${name}`

/**
 * Tells what a program of an older release would miss or stumble over on a newer schema; nothing, where
 * the schema was only expanded.
 *
 * @param record of the program's release: functions that it does not call may go, and unique indexes that
 *   it does not ask for
 */
export function breakages(
  older: SchemaFacts,
  newer: SchemaFacts,
  { calls, unasked = [] }: Pick<ReleaseRecord, 'calls' | 'unasked'>,
): string[] {
  const found: string[] = []
  const now = new Map(newer.columns.map((column) => [columnOf(column), column]))
  for (const column of older.columns) {
    const today = now.get(columnOf(column))
    if (!today) found.push(`column ${columnOf(column)} is gone`)
    else if (today.type !== column.type)
      found.push(`column ${columnOf(column)} was ${column.type} and is ${today.type}`)
    else if (column.optional && !today.optional)
      found.push(`column ${columnOf(column)} could be left out of an insert`)
  }

  const before = new Set(older.columns.map(columnOf))
  const tables = new Set(older.columns.map(({ table }) => table))
  for (const column of newer.columns)
    if (tables.has(column.table) && !before.has(columnOf(column)) && !column.optional)
      found.push(`column ${columnOf(column)} is new, and an insert that does not know it fails`)

  for (const unique of older.uniques)
    if (!newer.uniques.includes(unique) && !unasked.includes(unique))
      found.push(`unique index ${unique} is gone`)

  const offered = new Set(newer.functions.map(functionText))
  for (const one of older.functions)
    if (calls.includes(one.name) && !offered.has(functionText(one)))
      found.push(`function ${functionText(one)} is gone or answers otherwise`)
  return found
}
