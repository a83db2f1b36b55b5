import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as run } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'

/** Any number will do, as long as every migration of every MIST takes the same one. */
const MIGRATION_LOCK = 7_301_984

/** Folder of the SQL migrations, in order; append-only. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../migrations', import.meta.url))

/**
 * Brings the database at `databaseUrl` to the newest schema. Two that start at once wait for one
 * another; a schema that is up to date is left alone.
 *
 * @param databaseUrl a Postgres connection string (wire protocol): Neon, PGlite behind its server,
 *   or any Postgres ≥ 17 with pgvector
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await run(drizzle(client), { migrationsFolder: MIGRATIONS_FOLDER })
  } finally {
    await client.end()
  }
}
