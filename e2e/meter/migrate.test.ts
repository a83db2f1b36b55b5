import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CannotMigrate, migrate, MIGRATIONS_FOLDER } from '@mist/db/migrate'
import { SQL_FOLDER } from '@mist/db/sql-source'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startPooler } from './pooler.ts'
import { createDatabase } from './real-database.ts'

/** The lock that every MIST takes, releases of before too. */
const LOCK = 7_301_984

const stops: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop()
})

async function makeEmptyDatabase(): Promise<string> {
  const database = await createDatabase()
  stops.push(() => database.drop())
  return database.url
}

async function pooled(
  databaseUrl: string,
  {
    mode = 'transaction',
    poolSize = 2,
  }: { mode?: 'transaction' | 'statement'; poolSize?: number } = {},
): Promise<string> {
  const pooler = await startPooler(databaseUrl, { mode, poolSize })
  stops.push(() => pooler.stop())
  return pooler.url
}

async function ask<Row extends object>(databaseUrl: string, query: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Row>(query)).rows
  } finally {
    await client.end()
  }
}

const migrationsOf = (url: string) =>
  ask(url, 'select created_at from drizzle.__drizzle_migrations order by created_at')
const locks = (url: string) =>
  ask(url, `select pid from pg_locks where locktype = 'advisory' and objid = ${LOCK}`)

/** The migrations, and behind them one of ours. */
async function withMigration(sql: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mist-migrations-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true })
  const path = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(await readFile(path, 'utf8'))
  journal.entries.push({ idx: 9999, version: '7', when: 4e12, tag: '9999_next', breakpoints: true })
  await writeFile(path, JSON.stringify(journal))
  await writeFile(join(folder, '9999_next.sql'), sql)
  return folder
}

test('through a pooler of transactions, one migration after another leaves no lock behind', async () => {
  const url = await makeEmptyDatabase()
  const pooledUrl = await pooled(url)
  await migrate(pooledUrl)
  expect(await locks(url)).toEqual([])
  await migrate(pooledUrl, { waitS: 2 })
  await migrate(url, { waitS: 2 })
  const first = await makeEmptyDatabase()
  await migrate(first)
  expect(await migrationsOf(url)).toEqual(await migrationsOf(first))
})

test('two migrators at once, through the pooler and beside it, migrate once', async () => {
  const url = await makeEmptyDatabase()
  const pooledUrl = await pooled(url)
  await Promise.all([migrate(pooledUrl), migrate(url), migrate(pooledUrl)])
  const journal = JSON.parse(await readFile(join(MIGRATIONS_FOLDER, 'meta/_journal.json'), 'utf8'))
  expect(await migrationsOf(url)).toHaveLength(journal.entries.length)
  expect(await locks(url)).toEqual([])
})

test('a migrator that is killed in mid-migration leaves nothing half-made and no lock', async () => {
  const url = await makeEmptyDatabase()
  const pooledUrl = await pooled(url)
  await migrate(pooledUrl)
  const before = await migrationsOf(url)
  const folder = await withMigration(
    'create table half_made (id int);--> statement-breakpoint\nselect pg_sleep(30);',
  )
  const script = `
    import { migrate } from ${JSON.stringify(fileURLToPath(new URL('../../db/src/migrate.ts', import.meta.url)))}
    await migrate(${JSON.stringify(pooledUrl)}, { folder: ${JSON.stringify(folder)} })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  while ((await locks(url)).length === 0) await sleep(50)
  await sleep(500)
  child.kill('SIGKILL')

  const began = performance.now()
  await migrate(pooledUrl, { waitS: 20 })
  // Far less than the statement that was running had to go.
  expect(performance.now() - began).toBeLessThan(15_000)
  expect(await migrationsOf(url)).toEqual(before)
  expect(await ask(url, `select to_regclass('half_made') as made`)).toEqual([{ made: null }])
})

test('a migration that fails leaves nothing of it, nor of those that ran before it', async () => {
  const url = await makeEmptyDatabase()
  const folder = await withMigration('select 1 / 0;')
  await expect(migrate(await pooled(url), { folder })).rejects.toThrow(/division by zero/)
  expect(await ask(url, `select to_regclass('users') as made`)).toEqual([{ made: null }])
  await migrate(url)
})

test('a database that drizzle’s own migrator made goes on from there', async () => {
  const url = await makeEmptyDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await migrateWithDrizzle(drizzle(client), { migrationsFolder: MIGRATIONS_FOLDER })
  await client.end()
  const before = await migrationsOf(url)
  await migrate(url, { folder: await withMigration('create table one_more (id int);') })
  expect((await migrationsOf(url)).slice(0, -1)).toEqual(before)
  expect(await ask(url, `select to_regclass('one_more') as made`)).toEqual([{ made: 'one_more' }])
})

test('a lock that an older MIST left on the pooler is named, with what to do', async () => {
  const url = await makeEmptyDatabase()
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  await holder.query(`select pg_advisory_lock(${LOCK})`)
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
  const failure = await migrate(await pooled(url), { waitS: 1 }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(CannotMigrate)
  expect(String(failure)).toContain(`PID ${rows[0]!.pid}`)
  expect(String(failure)).toContain('pg_terminate_backend')
  await holder.end()
})

test('a role’s statement_timeout does not stop a long migration', async () => {
  const url = await makeEmptyDatabase()
  const { pathname } = new URL(url)
  await ask(url, `alter database ${pathname.slice(1)} set statement_timeout = '300ms'`)
  await migrate(url, { folder: await withMigration('select pg_sleep(1); create table slept ();') })
  expect(await ask(url, `select to_regclass('slept') as made`)).toEqual([{ made: 'slept' }])
})

test('a table in use delays a migration and the statements after it, but no longer than the wait', async () => {
  const url = await makeEmptyDatabase()
  await migrate(url)
  const reader = new pg.Client({ connectionString: url })
  await reader.connect()
  await reader.query('begin')
  await reader.query('select count(*) from users')
  const folder = await withMigration('alter table users add column later int;')
  const migrating = migrate(url, { folder })
  await sleep(1000)
  // It stands in the line behind the migration, which gives up though the table is still in use.
  expect(await ask(url, 'select count(*)::int as people from users')).toEqual([{ people: 0 }])
  await reader.query('commit')
  await migrating
  expect(await ask(url, 'select later from users')).toEqual([])
  await reader.end()
}, 30_000)

test('a table with a trigger that is written to delays new functions, too, and none is half there', async () => {
  const url = await makeEmptyDatabase()
  expect(await migrate(url)).toBe('applied')
  expect(await migrate(url)).toBe('unchanged')
  const sqlFolder = await mkdtemp(join(tmpdir(), 'mist-sql-'))
  stops.push(() => rm(sqlFolder, { recursive: true, force: true }))
  await cp(SQL_FOLDER, sqlFolder, { recursive: true })
  await writeFile(
    join(sqlFolder, 'a.sql'),
    'create or replace function one() returns int language sql as $$ select 1 $$;',
  )
  const made = `select to_regproc('one') is not null as made`
  const writer = new pg.Client({ connectionString: url })
  await writer.connect()
  await writer.query('begin')
  await writer.query('lock table users in row exclusive mode')
  const migrating = migrate(url, { sqlFolder })
  await sleep(6500)
  expect(await ask(url, made)).toEqual([{ made: false }])
  await writer.query('commit')
  expect(await migrating).toBe('applied')
  expect(await ask(url, made)).toEqual([{ made: true }])
  await writer.end()
}, 30_000)

test('a pooler that allows no transactions is refused by its name', async () => {
  const url = await makeEmptyDatabase()
  await expect(migrate(await pooled(url, { mode: 'statement' }))).rejects.toThrow(
    /own address, or a pooler in transaction or session mode/,
  )
})
