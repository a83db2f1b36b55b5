import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MIGRATIONS_FOLDER } from '@mist/db/migrate'
import { RELEASES_FOLDER, ReleaseRecord, SCHEMA_FACTS_SQL, SchemaFacts } from '@mist/db/releases'
import { makeTestDatabase } from '@mist/db/testing'
import { bundleWorker } from '../workerd/serve-bundle.ts'

// npm run release:record [-- VERSION]: writes down what is released, so that later schemas can be held
// against it. Run it on a clean tree, commit what it wrote, and tag the commit that it names.

const root = resolve(import.meta.dirname, '../../..')
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

/** Says why nothing was recorded. */
function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

async function schemaFacts(): Promise<SchemaFacts> {
  const { db, close } = await makeTestDatabase()
  const { rows } = await db.execute(SCHEMA_FACTS_SQL)
  await close()
  return SchemaFacts.parse(rows[0]?.['facts'])
}

/** The text of all programs that ask the database: the Worker's bundle and the transcoder. */
async function programs(bundle: string): Promise<string> {
  const texts = [await readFile(bundle, 'utf8')]
  for await (const path of glob('transcoder/src/**/*.ts', { cwd: root }))
    texts.push(await readFile(join(root, path), 'utf8'))
  return texts.join('\n')
}

const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const version = ReleaseRecord.shape.version.safeParse(
  process.argv[2] ??
    (typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? manifest.version
      : ''),
)
if (!version.success) refuse('Give a version such as 1.2.0: npm run release:record -- 1.2.0')
const folder = join(RELEASES_FOLDER, version.data)
if (existsSync(folder)) refuse(`${version.data} is recorded already, in ${folder}.`)
if (git('status', '--porcelain') !== '')
  refuse('Commit everything first: a release is a commit, and what is built must be what is in it.')

const journal: { entries: { tag: string }[] } = JSON.parse(
  await readFile(join(MIGRATIONS_FOLDER, 'meta/_journal.json'), 'utf8'),
)
const migrations = journal.entries.map(({ tag }) => tag)
const outdir = await mkdtemp(join(tmpdir(), 'mist-release-'))
const bundle = await bundleWorker(outdir)
const facts = await schemaFacts()
const text = await programs(bundle)
const names = [...new Set(facts.functions.map(({ name }) => name))]
const record: ReleaseRecord = {
  version: version.data,
  commit: git('rev-parse', 'HEAD'),
  workerSha256: createHash('sha256')
    .update(await readFile(bundle))
    .digest('hex'),
  migrations,
  calls: names.filter((name) => new RegExp(`\\b${name}\\s*\\(`).test(text)),
}
await rm(outdir, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'record.json'), `${JSON.stringify(record, null, 2)}\n`)
await writeFile(join(folder, 'schema.json'), `${JSON.stringify(facts, null, 2)}\n`)
process.stdout.write(
  `Recorded ${record.version} in ${folder}. Now:\n\n` +
    `  git add db/releases && git commit -m "Record release ${record.version}"\n` +
    `  git tag v${record.version} ${record.commit}\n`,
)
