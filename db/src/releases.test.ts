import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  breakages,
  readReleasedSchema,
  readReleases,
  SCHEMA_FACTS_SQL,
  SchemaFacts,
} from './releases.ts'
import { makeTestDatabase, type TestDatabase } from './testing/index.ts'

let db: TestDatabase
let close: () => Promise<void>
beforeAll(async () => {
  ;({ db, close } = await makeTestDatabase())
}, 60_000)
afterAll(() => close())

const CALLS = ['lease_key_period', 'start_listening_session']

async function factsNow(): Promise<SchemaFacts> {
  const { rows } = await db.execute(sql.raw(SCHEMA_FACTS_SQL))
  return SchemaFacts.parse(rows[0]!['facts'])
}

test('the newest release finds on today’s schema all that it asks for', async () => {
  const newest = (await readReleases()).at(-1)
  // Before the first release there is nobody to break.
  if (!newest) return
  const released = await readReleasedSchema(newest.version)
  expect(released.columns.length).toBeGreaterThan(50)
  expect(newest.calls).toContain('lease_key_period')
  expect(breakages(released, await factsNow(), newest)).toEqual([])
})

test('a schema breaks nothing of its own', async () => {
  const facts = await factsNow()
  expect(facts.columns.length).toBeGreaterThan(50)
  expect(facts.functions.map(({ name }) => name)).toEqual(expect.arrayContaining(CALLS))
  expect(facts.uniques.join()).toContain('users: btree (lower(email))')
  expect(breakages(facts, await factsNow(), { calls: CALLS })).toEqual([])
})

test('a unique index may go only where the release does not ask for it', async () => {
  const older = await factsNow()
  const [gone = '', ...left] = older.uniques
  const newer = { ...older, uniques: left }
  expect(breakages(older, newer, { calls: [], unasked: [gone] })).toEqual([])
  const wanted = [`unique index ${gone} is gone`]
  expect(breakages(older, newer, { calls: [], unasked: [left[0]!] })).toEqual(wanted)
  expect(breakages(older, newer, { calls: [] })).toEqual(wanted)
})

test.each([
  [
    'drop column',
    'alter table track_totals drop column completions',
    ['column track_totals.completions is gone'],
  ],
  ['rename table', 'alter table track_totals rename to totals', [/track_totals.plays is gone/]],
  [
    'change of type',
    'alter table users alter column username type varchar(40)',
    ['column users.username was text and is character varying(40)'],
  ],
  [
    'column that must be given',
    'alter table user_totals add column stars integer not null',
    [/user_totals.stars is new/],
  ],
  [
    'default dropped',
    'alter table users alter column plan drop default',
    ['column users.plan could be left out of an insert'],
  ],
  ['unique index dropped', 'drop index users_email_key', [/unique index users: btree/]],
  [
    'function of other arguments',
    `drop function lease_key_period(uuid, uuid, uuid, integer, integer, timestamptz, boolean);
     create function lease_key_period(p_session uuid) returns json language sql as $$ select null::json $$`,
    [/function lease_key_period\(p_session uuid, .* is gone or answers otherwise/],
  ],
  [
    'new column with a default',
    'alter table users add column stars integer not null default 0',
    [],
  ],
  ['new table', 'create table more (id integer not null)', []],
  ['function nobody calls by name', 'drop function guess_delay_s', []],
])('%s is a breakage or is not', async (_, change, wanted) => {
  const before = await factsNow()
  const rollback = new Error('roll back')
  let found: string[] = []
  await db
    .transaction(async (tx) => {
      for (const statement of change.split(';\n')) await tx.execute(sql.raw(statement))
      const { rows } = await tx.execute(sql.raw(SCHEMA_FACTS_SQL))
      found = breakages(before, SchemaFacts.parse(rows[0]!['facts']), { calls: CALLS })
      throw rollback
    })
    .catch((error: unknown) => {
      if (error !== rollback) throw error
    })
  expect(found.length > 0).toBe(wanted.length > 0)
  for (const text of wanted) expect(found.join('\n')).toMatch(text)
})
