import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/pglite/migrator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MIGRATIONS_FOLDER } from './migrate.ts'
import { SCHEMA_FACTS_SQL } from './releases.ts'
import { readSqlSource, type SqlSource } from './sql-source.ts'
import { applySqlTo, makeTestDatabase, type TestDatabase } from './testing/index.ts'

let source: SqlSource
let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => {
  source = await readSqlSource()
  ;({ db, close } = await makeTestDatabase())
}, 60_000)
afterAll(() => close())

/** The last migration that defines functions of today's; from the next on they are in db/sql. */
const LAST_WITH_FUNCTIONS = '0014_charged_last'

/** A function that stored data depends on is made by a migration, under such a name, and never changes. */
const VERSIONED = /_v[0-9]+$/

/** Functions and triggers as the database has them; those of extensions are not ours. */
const DEFINED = `
  select p.proname as name, p.prosrc as text from pg_proc p
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  union all
  select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  order by name, text`

async function definedIn(database: TestDatabase): Promise<{ name: string; text: string }[]> {
  const { rows } = await database.execute(DEFINED)
  return rows as { name: string; text: string }[]
}

const withoutComments = (text: string) => text.replace(/--.*$/gm, '')

test('the database has the functions and triggers of the folder, word for word, and no others', async () => {
  const texts = source.files.map(({ text }) => text).join('\n')
  const functions = [
    ...texts.matchAll(/^create or replace function (\w+)\s*\([^$]*\$\$([^$]*)\$\$;$/gm),
  ].map(([, name, text]) => `${name}: ${text}`)
  const triggers = [...texts.matchAll(/^create or replace trigger (\w+)\s/gm)].map(
    ([, name]) => `${name}: trigger`,
  )
  expect(functions.length).toBeGreaterThan(30)
  const found = (await definedIn(db))
    .filter(({ name }) => !VERSIONED.test(name))
    .map(({ name, text }) => `${name}: ${text.startsWith('CREATE TRIGGER') ? 'trigger' : text}`)
  expect(found.sort()).toEqual([...functions, ...triggers].sort())
})

test('the folder defines functions and triggers, and does nothing else', () => {
  for (const { path, text } of source.files) {
    const statements = withoutComments(text)
      .replace(/\$\$[^$]*\$\$/g, 'body')
      .split(';')
      .map((statement) => statement.trim().replace(/\s+/g, ' '))
      .filter((statement) => statement !== '')
    expect(statements.length).toBeGreaterThan(0)
    for (const statement of statements)
      expect([path, statement]).toEqual([
        path,
        expect.stringMatching(/^create or replace (function|trigger) \w+/),
      ])
  }
})

test('no stored data depends on a function that may change', async () => {
  // Indexes, generated columns, defaults, checks, views: all that Postgres remembers of a use, save triggers.
  const { rows } = await db.execute(`
    select p.proname, d.classid::regclass::text as used_by from pg_depend d join pg_proc p on p.oid = d.refobjid
    where d.refclassid = 'pg_proc'::regclass and d.classid <> 'pg_trigger'::regclass
      and p.pronamespace = 'public'::regnamespace
      and not exists (select from pg_depend e where e.objid = p.oid and e.deptype = 'e')`)
  expect(rows.filter(({ proname }) => !VERSIONED.test(String(proname)))).toEqual([])
})

/** What a migration has of functions and triggers that belongs to db/sql. */
function trespasses(migration: string, names: string[], tables: string[]): string[] {
  const text = withoutComments(migration)
    .toLowerCase()
    .replaceAll('"', '')
    .replace(/drop function[^;]*;/g, '')
  const found = [...text.matchAll(/create (?:or replace )?(function|trigger) (\w+)/g)]
    .filter(([, kind, name]) => kind === 'trigger' || !VERSIONED.test(name!))
    .map(([, kind, name]) => `makes the ${kind} ${name}`)
  for (const name of names)
    if (new RegExp(`(?<!function )\\b${name}\\s*\\(`).test(text)) found.push(`calls ${name}`)
  for (const table of tables)
    if (
      new RegExp(`\\b(insert into|update|delete from) (only )?${table}\\b`).test(text) &&
      // One that it makes itself has no triggers yet.
      !new RegExp(`create table ${table}\\b`).test(text) &&
      !new RegExp(`alter table ${table} disable trigger`).test(text)
    )
      found.push(`fires the triggers of ${table}`)
  return found
}

test.each([
  ['CREATE FUNCTION used_on_v2() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;', []],
  ['CREATE OR REPLACE FUNCTION "used_on"(m meters) RETURNS int;', ['makes the function used_on']],
  ['CREATE TRIGGER t AFTER INSERT ON users EXECUTE FUNCTION f();', ['makes the trigger t']],
  ['UPDATE meters SET used_ms = used_on(meters, day);', ['calls used_on']],
  ['DROP FUNCTION used_on(meters, date);', []],
  ['-- As used_on(m) says.\nALTER TABLE meters ADD COLUMN x int;', []],
  ["UPDATE users SET plan = 'free';", ['fires the triggers of users']],
  ["CREATE TABLE users (plan text); INSERT INTO users VALUES ('free');", []],
  ["ALTER TABLE users DISABLE TRIGGER ALL; UPDATE users SET plan = 'free';", []],
])('a migration that says %s', (text, wanted) => {
  expect(trespasses(text, ['used_on'], ['users'])).toEqual(wanted)
})

test('migrations call none of these functions, of which they do not know what they will be', async () => {
  const names = (await definedIn(db)).map(({ name }) => name)
  const { rows } = await db.execute(
    'select distinct tgrelid::regclass::text as name from pg_trigger where not tgisinternal',
  )
  const tables = rows.map(({ name }) => String(name))
  expect(tables).toContain('users')
  const files = (await readdir(MIGRATIONS_FOLDER)).filter(
    (name) => name.endsWith('.sql') && name > `${LAST_WITH_FUNCTIONS}.sql`,
  )
  expect(files.length).toBeGreaterThan(0)
  for (const file of files) {
    const text = await readFile(join(MIGRATIONS_FOLDER, file), 'utf8')
    expect([
      file,
      trespasses(
        text,
        names.filter((name) => !VERSIONED.test(name)),
        tables,
      ),
    ]).toEqual([file, []])
  }
})

/** A database as a MIST before db/sql left it. */
async function makeOlderDatabase(): Promise<Blob> {
  const folder = await mkdtemp(join(tmpdir(), 'mist-older-'))
  const client = new PGlite({ extensions: { vector, pg_trgm } })
  try {
    await cp(MIGRATIONS_FOLDER, folder, { recursive: true })
    const path = join(folder, 'meta/_journal.json')
    const journal: { entries: { tag: string }[] } = JSON.parse(await readFile(path, 'utf8'))
    journal.entries = journal.entries.filter(({ tag }) => tag <= LAST_WITH_FUNCTIONS)
    await writeFile(path, JSON.stringify(journal))
    await migrateWithDrizzle(drizzle(client), { migrationsFolder: folder })
    await client.exec(`
      insert into users (id, email, username, password_hash) values (gen_random_uuid(), 'a@example.test', 'a', 'x')`)
    return await client.dumpDataDir('none')
  } finally {
    await client.close()
    await rm(folder, { recursive: true, force: true })
  }
}

test('a database of before and a new one end the same', async () => {
  const older = await makeTestDatabase(await makeOlderDatabase())
  try {
    expect(await definedIn(older.db)).toEqual(await definedIn(db))
    for (const question of [SCHEMA_FACTS_SQL, 'select revision, sha256 from applied_sql'])
      expect((await older.db.execute(question)).rows).toEqual((await db.execute(question)).rows)
    expect((await older.db.execute('select user_id from meters')).rows).toHaveLength(1)
  } finally {
    await older.close()
  }
}, 60_000)

/** The folder after somebody has changed what a day is. */
const changed = (revision: number, body: string): SqlSource => ({
  revision,
  sha256: String(revision).padStart(64, '0'),
  files: source.files.map(({ path, text }) => ({
    path,
    text: text.replace("select (p_now at time zone 'UTC')::date", body),
  })),
})

const utcDay = async (database: TestDatabase) =>
  (await definedIn(database)).find(({ name }) => name === 'utc_day')!.text.trim()

test('a folder that changed is applied, and one that is older than the last leaves everything as it is', async () => {
  const apply = (folder: SqlSource) => applySqlTo(db.$client, folder)
  expect(await apply(source)).toBe('unchanged')
  const newer = changed(source.revision + 1, 'select p_now::date')
  expect(await apply(newer)).toBe('applied')
  expect(await utcDay(db)).toBe('select p_now::date')

  expect(await apply(source)).toBe('newer')
  expect(await utcDay(db)).toBe('select p_now::date')
  const { rows } = await db.execute('select revision from applied_sql')
  expect(rows).toEqual([{ revision: newer.revision }])

  // While somebody works on the folder its revision stays the same.
  const edited = { ...changed(newer.revision, 'select current_date'), sha256: 'f'.repeat(64) }
  expect(await apply(edited)).toBe('applied')
  expect(await utcDay(db)).toBe('select current_date')
})

test('a function that asks for what is not there is refused with the name of its file, and nothing is changed', async () => {
  const before = await definedIn(db)
  const broken = changed(source.revision + 2, 'select no_such_column')
  await expect(applySqlTo(db.$client, broken)).rejects.toThrow(
    /db\/sql\/time\.sql can't be applied: .*no_such_column/,
  )
  expect(await definedIn(db)).toEqual(before)
})
