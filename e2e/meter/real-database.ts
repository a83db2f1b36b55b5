import { randomUUID } from 'node:crypto'
import { neon, neonConfig } from '@neondatabase/serverless'
import * as schema from '@mist/db/schema'
import { makeNeonProxy } from '@mist/local/postgres/neon-proxy'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import pg from 'pg'
import { inject } from 'vitest'

/** Connections of the proxy to Postgres. */
const CONNECTIONS = 40

/** Makes a database on the real Postgres 17, migrated or empty. */
export async function createDatabase(template?: 'migrated') {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const admin = new pg.Client({ connectionString: inject('postgresUrl') })
  await admin.connect()
  await admin.query(`create database ${name} template ${template ?? 'template1'}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return {
    url: url.href,
    async drop(): Promise<void> {
      await admin.query(`drop database if exists ${name} with (force)`)
      await admin.end()
    },
  }
}

/**
 * A migrated database on the real Postgres 17, spoken to through Neon's HTTP protocol as the Worker does.
 * PGlite serves one query at a time, so a race cannot show on it. All connections are open: opening them
 * would put the first statements in a line.
 */
export async function makeRealDatabase() {
  const database = await createDatabase('migrated')
  const proxy = await makeNeonProxy({ upstream: database.url, maxConnections: CONNECTIONS })
  neonConfig.fetchEndpoint = `${proxy.url}/sql`
  const db = drizzle(neon(database.url), { schema })
  await Promise.all(
    Array.from({ length: CONNECTIONS }, () => db.execute(sql`select pg_sleep(0.2)`)),
  )
  return {
    db,
    databaseUrl: database.url,
    proxyUrl: proxy.url,
    async close(): Promise<void> {
      await proxy.stop()
      await database.drop()
    },
  }
}
