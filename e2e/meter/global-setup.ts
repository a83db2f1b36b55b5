import { fileURLToPath } from 'node:url'
import { migrate } from '@mist/db/migrate'
import { startRealPostgres } from '@mist/local/postgres/real-postgres'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

/**
 * Starts one real Postgres 17 with pgvector for all files, with a migrated database in it that they
 * copy: a copy takes a tenth of a second, a server and its migrations take several.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startRealPostgres({
    dir: fileURLToPath(new URL('../../.local/postgres17', import.meta.url)),
  })
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query('create database migrated')
  await admin.end()
  const migrated = new URL(postgres.url)
  migrated.pathname = '/migrated'
  await migrate(migrated.href)
  project.provide('postgresUrl', postgres.url)
  return () => postgres.stop()
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface is merged
  export interface ProvidedContext {
    /** Of the server's own database; `migrated` beside it is the template. */
    postgresUrl: string
  }
}
