import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { MIGRATIONS_FOLDER } from '../migrate.ts'
import { readSqlSource, Revision, REVISION_FILE, SQL_FOLDER } from '../sql-source.ts'

// npm run db:generate -- --name NAME: writes the migration from the schema of before to today's (with
// --custom an empty one, for moves of data), and brings the files around it in line. Without a change of the
// schema it does the latter alone: run it again after an edit of a new migration or of db/sql.

const db = fileURLToPath(new URL('../..', import.meta.url))

const Journal = z.looseObject({
  entries: z.array(z.looseObject({ when: z.number(), tag: z.string() })),
})

/** Names of the migrations that a commit holds: they stay as they are. */
function committed(): Set<string> {
  const names = execFileSync('git', ['ls-tree', '--name-only', 'HEAD', 'migrations/'], {
    cwd: db,
    encoding: 'utf8',
  })
  return new Set(names.split('\n').map((path) => path.replace('migrations/', '')))
}

/** The migrator runs them in the order of the journal, and a database remembers them by their time. */
async function settleJournal(): Promise<void> {
  const path = join(MIGRATIONS_FOLDER, 'meta/_journal.json')
  const journal = Journal.parse(JSON.parse(await readFile(path, 'utf8')))
  let before = 0
  for (const entry of journal.entries) {
    // This machine's clock may be behind the one that the last migration was made by.
    if (entry.when <= before) entry.when = before + 1000
    before = entry.when
  }
  await writeFile(path, `${JSON.stringify(journal, null, 2)}\n`)
}

async function settleSums(): Promise<void> {
  const path = join(MIGRATIONS_FOLDER, 'published.sha256')
  const isCommitted = committed()
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))
  const names = (await readdir(MIGRATIONS_FOLDER)).filter((name) => name.endsWith('.sql')).sort()
  for (const name of names) {
    if (sums.has(name) && isCommitted.has(name)) continue
    const sum = createHash('sha256').update(await readFile(join(MIGRATIONS_FOLDER, name)))
    sums.set(name, sum.digest('hex'))
  }
  await writeFile(path, names.map((name) => `${sums.get(name)}  ${name}\n`).join(''))
}

async function settleRevision(): Promise<void> {
  const path = join(SQL_FOLDER, REVISION_FILE)
  const { sha256, revision } = await readSqlSource()
  const before = Revision.parse(JSON.parse(await readFile(path, 'utf8')))
  if (before.sha256 === sha256) return
  await writeFile(path, `${JSON.stringify({ revision: revision + 1, sha256 })}\n`)
}

const kit = fileURLToPath(new URL('./bin.cjs', import.meta.resolve('drizzle-kit')))
const { status } = spawnSync(process.execPath, [kit, 'generate', ...process.argv.slice(2)], {
  cwd: db,
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
await settleJournal()
await settleSums()
await settleRevision()
