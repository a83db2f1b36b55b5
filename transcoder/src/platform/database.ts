import * as schema from '@mist/db/schema'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Log } from './log.ts'

export type Database = NodePgDatabase<typeof schema>
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

/**
 * Opens a pool of connections to Postgres. It connects on first use and again after an outage.
 *
 * @param connections at most this many at once
 */
export function openDatabase(options: { url: string; connections: number; log: Log }): {
  db: Database
  close: () => Promise<void>
} {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 10_000,
    // A server that vanished without a word must not hold a job for ever.
    query_timeout: 30_000,
    keepAlive: true,
    application_name: 'mist-transcoder',
  })
  // An idle connection that breaks is replaced on next use; without a listener it ends the process.
  pool.on('error', (error) =>
    options.log.warn({ reason: error.message }, 'lost a connection to Postgres'),
  )
  return { db: drizzle(pool, { schema }), close: () => pool.end() }
}
