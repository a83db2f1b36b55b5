import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { drizzle, type PgliteDatabase } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { MIGRATIONS_FOLDER } from '../migrate.ts'
import * as schema from '../schema/index.ts'

export type TestDatabase = PgliteDatabase<typeof schema>

/** A fresh, migrated Postgres in memory. It is a real Postgres, but serves one query at a time. */
export async function makeTestDatabase(): Promise<{
  db: TestDatabase
  close: () => Promise<void>
}> {
  const client = new PGlite({ extensions: { vector, pg_trgm } })
  const db = drizzle(client, { schema })
  await migrate(db, { migrationsFolder: MIGRATIONS_FOLDER })
  return { db, close: () => client.close() }
}
