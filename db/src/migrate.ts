import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import pg from 'pg'
import {
  applySql,
  type Connection,
  readSqlSource,
  SQL_FOLDER,
  type SqlOutcome,
} from './sql-source.ts'

/** Any number will do, as long as every migration of every MIST takes the same one. */
const MIGRATION_LOCK = 7_301_984

/** Folder of the SQL migrations, in order; append-only. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../migrations', import.meta.url))

/**
 * How long a statement of a migration waits for a table that somebody holds. Whoever comes after it
 * waits behind it, so a long wait is an outage: better give up, let them through and try again.
 */
const TABLE_WAIT_S = 5
const ATTEMPTS = 6

/** SQLSTATE of a lock that was not to be had in time. */
const LOCK_NOT_AVAILABLE = '55P03'

/** A database that can't be migrated as things are; the message says what to do. */
export class CannotMigrate extends Error {
  override name = 'CannotMigrate'
}

/**
 * Brings the database at `databaseUrl` to the newest schema, all of it or nothing. Two that start at
 * once wait for one another; a schema that is up to date is left alone.
 *
 * Everything, the lock too, belongs to one transaction, so that it works through a pooler that hands
 * out connections by the transaction (PgBouncer, Neon's `-pooler` address): a lock of the session
 * would stay behind on whichever connection the pooler had chosen.
 *
 * @param databaseUrl a Postgres connection string (wire protocol): Neon, PGlite behind its server,
 *   or any Postgres ≥ 17 with pgvector; direct or through a pooler
 * @param waitS seconds to wait for another migration to end
 * @returns what became of the functions and triggers of `db/sql`
 * @throws CannotMigrate when another one still holds the lock, or the tables are too busy
 */
export async function migrate(
  databaseUrl: string,
  {
    waitS = 300,
    folder = MIGRATIONS_FOLDER,
    sqlFolder = SQL_FOLDER,
  }: { waitS?: number; folder?: string; sqlFolder?: string } = {},
): Promise<SqlOutcome> {
  const source = await readSqlSource(sqlFolder)
  for (let attempt = 1; ; attempt++) {
    const client = new pg.Client({ connectionString: databaseUrl })
    client.on('error', () => {}) // A connection that dies fails the query that waits on it, too.
    await client.connect()
    try {
      await client.query('begin')
      await takeLock(client, waitS)
      await applyMigrations(client, folder)
      const outcome = await applySql(connectionOf(client), source)
      await client.query('commit')
      return outcome
    } catch (error) {
      if (error instanceof CannotMigrate || codeOf(error) !== LOCK_NOT_AVAILABLE)
        throw explained(error)
      if (attempt === ATTEMPTS)
        throw new CannotMigrate(
          `A table that a migration changes was in use ${ATTEMPTS} times for ${TABLE_WAIT_S} s. ` +
            'End long transactions (pg_stat_activity shows them) and run it again: nothing was changed.',
          { cause: error },
        )
    } finally {
      await client.end()
    }
    await sleep(1000 * attempt)
  }
}

/** Waits for the lock that all migrations share; it goes with the transaction, however that ends. */
async function takeLock(client: pg.Client, waitS: number): Promise<void> {
  // A role may have a statement_timeout for the Worker's sake; moving data takes what it takes.
  await client.query('set local statement_timeout = 0')
  await client.query(`set local lock_timeout = '${Math.ceil(waitS * 1000)}ms'`)
  // A migrator that was killed must not hold the lock until its statement ends. Not every platform can.
  await client.query(`do $$ begin
    perform set_config('client_connection_check_interval', '2s', true);
  exception when others then null; end $$`)
  try {
    await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error
    await client.query('rollback')
    throw new CannotMigrate(
      `Another migration has held the lock for ${waitS} s: ${await lockHolders(client)}. If none is ` +
        'running, an older MIST left it behind on a connection of a pooler: end that connection with ' +
        'select pg_terminate_backend(PID), and run this again.',
      { cause: error },
    )
  }
  await client.query(`set local lock_timeout = '${TABLE_WAIT_S}s'`)
}

/** Who holds the lock, for a person to look into. */
async function lockHolders(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ pid: number; state: string | null; since: string | null }>(
    `select l.pid, a.state, to_char(a.state_change, 'YYYY-MM-DD HH24:MI:SS TZ') as since
     from pg_locks l left join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = ${MIGRATION_LOCK}
       and l.database = (select oid from pg_database where datname = current_database())`,
  )
  return (
    rows
      .map(({ pid, state, since }) => `PID ${pid} (${state ?? 'unknown'} since ${since ?? '?'})`)
      .join(', ') || 'it has just let go'
  )
}

/**
 * Runs each migration that the database has not had, and notes it where drizzle's own migrator does,
 * which made many a database of ours.
 */
async function applyMigrations(client: pg.Client, folder: string): Promise<void> {
  await client.query('create schema if not exists drizzle')
  await client.query(`create table if not exists drizzle.__drizzle_migrations (
    id serial primary key, hash text not null, created_at bigint)`)
  const { rows } = await client.query<{ created_at: string }>(
    'select created_at from drizzle.__drizzle_migrations',
  )
  const had = new Set(rows.map((row) => Number(row.created_at)))
  for (const { sql, hash, folderMillis } of readMigrationFiles({ migrationsFolder: folder })) {
    if (had.has(folderMillis)) continue
    // Without parameters, so in the simple protocol: nothing is prepared, which a pooler may forget.
    for (const statement of sql) await client.query(statement)
    await client.query(
      `insert into drizzle.__drizzle_migrations (hash, created_at) values ('${hash}', ${folderMillis})`,
    )
  }
}

function connectionOf(client: pg.Client): Connection {
  return {
    exec: (text) => client.query(text),
    rows: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
  }
}

/** SQLSTATE of a failure, or of the one behind it. */
function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  return 'code' in error ? error.code : codeOf(error.cause)
}

function explained(error: unknown): unknown {
  // PgBouncer's pool_mode=statement ends a client that begins a transaction.
  if (!(error instanceof Error && /statement pooling/.test(error.message))) return error
  return new CannotMigrate(
    'This address is a pooler that allows no transactions (pool_mode=statement). Migrate through the ' +
      "database's own address, or a pooler in transaction or session mode.",
    { cause: error },
  )
}
