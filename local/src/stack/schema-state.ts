import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MIGRATIONS_FOLDER } from '@mist/db/migrate'
import { APPLIED_SQL, compareSql, readSqlSource } from '@mist/db/sql-source'
import pg from 'pg'
import { z } from 'zod'
import { CannotStart } from '../cannot-start.ts'
import { nameOfDatabase } from './plan.ts'

const Journal = z.object({ entries: z.array(z.object({ when: z.number() })) })

/** Time of each migration of this checkout, in milliseconds, oldest first. */
function migrationTimes(): number[] {
  const text = readFileSync(join(MIGRATIONS_FOLDER, 'meta/_journal.json'), 'utf8')
  return Journal.parse(JSON.parse(text)).entries.map(({ when }) => when)
}

/**
 * Counts the migrations that a database lacks, changing nothing in it; `all` when it has none.
 * A schema newer than this checkout lacks none.
 *
 * @throws CannotStart when the database can't be asked
 */
export function missingMigrations(databaseUrl: string): Promise<number | 'all'> {
  return asking(databaseUrl, async (client) => {
    const { rows } = await client.query<{ there: boolean }>(
      "select to_regclass('drizzle.__drizzle_migrations') is not null as there",
    )
    if (rows[0]?.there !== true) return 'all'
    const last = await client.query<{ at: string | null }>(
      'select max(created_at) as at from drizzle.__drizzle_migrations',
    )
    const at = last.rows[0]?.at ?? null
    if (at === null) return 'all'
    return migrationTimes().filter((when) => when > Number(at)).length
  })
}

/** Whether the functions of a database, which lacks no migration, are older than those of this checkout. */
async function hasOlderFunctions(databaseUrl: string): Promise<boolean> {
  const source = await readSqlSource()
  return asking(databaseUrl, async (client) => {
    const { rows } = await client.query<Record<string, unknown>>(APPLIED_SQL)
    return compareSql(rows[0], source) === 'older'
  })
}

async function asking<T>(databaseUrl: string, ask: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return await ask(client)
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error)
    throw new CannotStart(`the database ${nameOfDatabase(databaseUrl)} can't be asked: ${why}`)
  } finally {
    await client.end().catch(() => {})
  }
}

/**
 * Lets a start go on only where the schema is current.
 *
 * @throws CannotStart with what to do
 */
export async function requireCurrentSchema(databaseUrl: string): Promise<void> {
  const missing = await missingMigrations(databaseUrl)
  if (missing === 0 && !(await hasOlderFunctions(databaseUrl))) return
  const what =
    missing === 'all'
      ? 'has no schema of MIST yet'
      : missing === 0
        ? 'has functions of an older MIST'
        : `lacks ${missing} of the newest migrations`
  throw new CannotStart(
    `the database ${nameOfDatabase(databaseUrl)} ${what}, and nothing was changed: if it is meant for MIST, add --migrate (npm start -- --migrate)`,
  )
}
