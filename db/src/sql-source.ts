import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** Today's definition of every function and trigger, one file per subject. */
export const SQL_FOLDER = fileURLToPath(new URL('../sql', import.meta.url))

/** Beside the files: how often they have changed so far, and what they were then. */
export const REVISION_FILE = 'revision.json'

export const Revision = z.strictObject({
  revision: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

/** The folder `db/sql` as it is read. */
export type SqlSource = {
  /** Which of two folders is the newer one: it is counted up whenever a file changes. */
  revision: number
  /** SHA-256 over the names and texts of all files. */
  sha256: string
  /** In the order in which they are run. */
  files: { path: string; text: string }[]
}

/** A connection inside a transaction, as much of it as is needed here. */
export type Connection = {
  /** Runs statements, several of them in one text. */
  exec(text: string): Promise<unknown>
  /** Runs one statement and answers with its rows. */
  rows(text: string): Promise<unknown[]>
}

/** What {@link applySql} found. */
export type SqlOutcome = 'applied' | 'unchanged' | 'newer'

/** Which revision a database has; no row in one that never had any. */
export const APPLIED_SQL = 'select revision, sha256 from applied_sql'
const Applied = z.object({ revision: z.int(), sha256: z.string() })

/** Compares what a database has, a row of {@link APPLIED_SQL}, with the folder. */
export function compareSql(row: unknown, source: SqlSource): 'older' | 'same' | 'newer' {
  if (row === undefined) return 'older'
  const applied = Applied.parse(row)
  if (applied.revision > source.revision) return 'newer'
  return applied.sha256 === source.sha256 ? 'same' : 'older'
}

/** Reads the folder. The order of its files is that of their paths, byte by byte: the same everywhere. */
export async function readSqlSource(folder = SQL_FOLDER): Promise<SqlSource> {
  const names = await readdir(folder, { recursive: true })
  const paths = names
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : 1))
  const files = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
  )
  const sum = createHash('sha256')
  for (const { path, text } of files) sum.update(`${path}\0${text}\0`)
  const text = await readFile(join(folder, REVISION_FILE), 'utf8')
  const { revision } = Revision.parse(JSON.parse(text))
  return { revision, sha256: sum.digest('hex'), files }
}

/**
 * Defines all functions and triggers anew where the folder is not the one that the database had last.
 * Belongs into the transaction of the migrations, after them and under their lock.
 *
 * A program that is older than the one which came last leaves everything as it is: its functions may not
 * know the tables of today. `newer` tells that.
 */
export async function applySql(connection: Connection, source: SqlSource): Promise<SqlOutcome> {
  const { revision, sha256, files } = source
  const [row] = await connection.rows(APPLIED_SQL)
  const state = compareSql(row, source)
  if (state !== 'older') return state === 'same' ? 'unchanged' : state
  // Twice: first unseen, so that no file need come before another which it calls; then with all in place,
  // so that Postgres reads each body and refuses one that asks for what is not there.
  for (const isChecked of ['off', 'on']) {
    await connection.exec(`set local check_function_bodies = ${isChecked}`)
    for (const { path, text } of files)
      try {
        await connection.exec(text)
      } catch (error) {
        throw new Error(`db/sql/${path} can't be applied: ${String(error)}`, { cause: error })
      }
  }
  await connection.exec(
    `insert into applied_sql (revision, sha256) values (${revision}, '${sha256}')
     on conflict (singleton) do update
     set revision = excluded.revision, sha256 = excluded.sha256, applied_at = now()`,
  )
  return 'applied'
}
