import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { drizzle, type PgliteDatabase } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { MIGRATIONS_FOLDER } from '../migrate.ts'
import * as schema from '../schema/index.ts'
import { applySql, readSqlSource, type SqlOutcome, type SqlSource } from '../sql-source.ts'

export type TestDatabase = PgliteDatabase<typeof schema> & { $client: PGlite }

/** Gives a database in memory the functions and triggers of `source`, as the migrator does. */
export function applySqlTo(client: PGlite, source: SqlSource): Promise<SqlOutcome> {
  return client.transaction((tx) =>
    applySql(
      { exec: (text) => tx.exec(text), rows: async (text) => (await tx.query(text)).rows },
      source,
    ),
  )
}

/**
 * A migrated Postgres in memory, fresh or a copy. It is a real Postgres, but serves one query at a time.
 *
 * @param copyOf what `dump` of another one answered
 */
export async function makeTestDatabase(copyOf?: Blob): Promise<{
  db: TestDatabase
  /** The whole database, as a backup or a branch has it. */
  dump: () => Promise<Blob>
  close: () => Promise<void>
}> {
  const client = new PGlite({
    extensions: { vector, pg_trgm },
    ...(copyOf !== undefined && { loadDataDir: copyOf }),
  })
  const db = drizzle(client, { schema })
  await migrate(db, { migrationsFolder: MIGRATIONS_FOLDER })
  await applySqlTo(client, await readSqlSource())
  return { db, dump: () => client.dumpDataDir('none'), close: () => client.close() }
}
