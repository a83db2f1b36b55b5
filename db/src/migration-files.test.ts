import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readSqlSource, Revision } from './sql-source.ts'

const run = promisify(execFile)
const DB = fileURLToPath(new URL('..', import.meta.url))

const Journal = z.object({
  entries: z.array(z.object({ idx: z.int(), when: z.number(), tag: z.string() })),
})

/** What does not fit together of the migrations, their journal, their sums and the revision of db/sql. */
async function disagreements(db: string): Promise<string[]> {
  const found: string[] = []
  const read = (path: string) => readFile(join(db, path), 'utf8')
  const { entries } = Journal.parse(JSON.parse(await read('migrations/meta/_journal.json')))
  const names = (await readdir(join(db, 'migrations')))
    .filter((name) => name.endsWith('.sql'))
    .sort()
  if (names.join() !== entries.map(({ tag }) => `${tag}.sql`).join())
    found.push('the journal and the folder name different migrations')
  for (const [index, { idx, when, tag }] of entries.entries()) {
    if (idx !== index || !tag.startsWith(`${String(index).padStart(4, '0')}_`))
      found.push(`${tag} is not number ${index}`)
    // A database remembers migrations by these.
    if (when <= (entries[index - 1]?.when ?? 0))
      found.push(`${tag} is not later than the one before`)
  }

  const sums = (await read('migrations/published.sha256')).trimEnd().split('\n')
  for (const [index, name] of names.entries()) {
    const sum = createHash('sha256').update(await readFile(join(db, 'migrations', name)))
    if (sums[index] !== `${sum.digest('hex')}  ${name}`)
      found.push(`${name} was edited, and databases that ran it would not hear of it`)
  }

  const { sha256 } = await readSqlSource(join(db, 'sql'))
  if (Revision.parse(JSON.parse(await read('sql/revision.json'))).sha256 !== sha256)
    found.push('db/sql has changed and is still called by its old revision')
  return found
}

/** Runs `npm run db:generate`. */
const generate = (db: string, ...args: string[]) =>
  run(process.execPath, [join(db, 'src/cli/generate.ts'), ...args], { cwd: db })

/** A copy of this folder, inside of the repository, so that the packages are found. */
async function copyOfDb(): Promise<string> {
  await mkdir(join(DB, '../.local'), { recursive: true })
  const copy = await mkdtemp(join(DB, '../.local/db-'))
  for (const name of [
    'src',
    'migrations',
    'sql',
    'drizzle.config.ts',
    'package.json',
    'tsconfig.json',
  ])
    await cp(join(DB, name), join(copy, name), { recursive: true })
  return copy
}

test('migrations, their journal, their sums and db/sql agree: else run npm run db:generate', async () => {
  expect(await disagreements(DB)).toEqual([])
})

test('the newest snapshot is of today’s schema, and one command makes a migration with all that belongs to it', async () => {
  const copy = await copyOfDb()
  try {
    expect((await generate(copy)).stdout).toContain('No schema changes')

    const schema = join(copy, 'src/schema/accounts.ts')
    const text = await readFile(schema, 'utf8')
    await writeFile(schema, text.replace("email: text('email')", "stars: integer('stars'),\n$&"))
    await writeFile(join(copy, 'sql/more.sql'), '-- More.\n')
    const before = await readSqlSource(join(copy, 'sql'))
    await generate(copy, '--name', 'stars')
    expect(await disagreements(copy)).toEqual([])
    expect((await readSqlSource(join(copy, 'sql'))).revision).toBe(before.revision + 1)
    const names = await readdir(join(copy, 'migrations'))
    const made = names.filter((name) => name.endsWith('_stars.sql'))
    expect(made).toHaveLength(1)
    const migration = join(copy, 'migrations', made[0]!)
    expect(await readFile(migration, 'utf8')).toContain('ADD COLUMN "stars" integer')

    // As long as it is not committed it may be edited; the command then sums it up anew.
    await writeFile(migration, '-- Edited.\nALTER TABLE "users" ADD COLUMN "stars" integer;')
    expect(await disagreements(copy)).toEqual([expect.stringContaining('was edited')])
    await generate(copy)
    expect(await disagreements(copy)).toEqual([])
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}, 60_000)
