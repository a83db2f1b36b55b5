import { fileURLToPath } from 'node:url'
import { neon, neonConfig } from '@neondatabase/serverless'
import { migrate } from '@mist/db/migrate'
import * as schema from '@mist/db/schema'
import { makeNeonProxy } from '@mist/local/postgres/neon-proxy'
import { startRealPostgres } from '@mist/local/postgres/real-postgres'
import { drizzle } from 'drizzle-orm/neon-http'
import pg from 'pg'

/**
 * A migrated database on a real Postgres 17 with pgvector, spoken to through Neon's HTTP protocol as
 * the Worker does. PGlite serves one query at a time, so a race cannot show on it.
 */
export async function makeRealDatabase() {
  const postgres = await startRealPostgres({
    dir: fileURLToPath(new URL('../../.local/postgres17', import.meta.url)),
  })
  const name = `meter_${Date.now().toString(36)}`
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(postgres.url)
  url.pathname = `/${name}`
  await migrate(url.href)
  const proxy = await makeNeonProxy({ upstream: url.href, maxConnections: 40 })
  neonConfig.fetchEndpoint = `${proxy.url}/sql`
  return {
    db: drizzle(neon(url.href), { schema }),
    databaseUrl: url.href,
    proxyUrl: proxy.url,
    async close() {
      await proxy.stop()
      await admin.query(`drop database if exists ${name} with (force)`)
      await admin.end()
      await postgres.stop()
    },
  }
}
