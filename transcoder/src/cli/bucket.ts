/**
 * `npm run bucket -- status | claim | orphans`: whose the buckets are, and what is in them that no row
 * knows. Reads the transcoder's environment.
 */
import { parseArgs } from 'node:util'
import { makeOrphans } from '../buckets/orphans.ts'
import { BucketsRefused, makeOwnership, type Status } from '../buckets/ownership.ts'
import { readTombstoneCounts } from '../buckets/tombstone-repo.ts'
import { parseStorageEnv } from '../env.ts'
import { objectStoreOptions, ownershipOptions } from '../options.ts'
import { openDatabase } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'
import { makeObjectStore } from '../platform/object-store.ts'

const USAGE = `usage:
  npm run bucket -- status               whose the buckets are, and what waits to be deleted
  npm run bucket -- claim                mark them as this installation's
  npm run bucket -- claim --from=OWNER   take them over from another installation (its id, or "unreadable")
  npm run bucket -- open                 check them as a transcoder does at its start; empty ones are claimed
  npm run bucket -- check                the same, and nothing is claimed
  npm run bucket -- orphans              list objects that no row knows, older than a day
  npm run bucket -- orphans --delete=ID  delete exactly the orphans that were listed under this ID`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string' },
    delete: { type: 'string' },
    // For buckets that can't belong to another installation: the local stack's, in its own folder.
    own: { type: 'boolean' },
  },
})

const env = parseStorageEnv(process.env)
const { db, close } = openDatabase({
  url: env.DATABASE_URL,
  connections: 2,
  log: makeLog('silent'),
})
const objects = makeObjectStore(objectStoreOptions(env, 20))
const ownership = makeOwnership({ db, objects, ...ownershipOptions(env) })

function print({ identity, buckets }: Status): void {
  console.log(
    `database          installation ${identity.id}${identity.isClaimed ? '' : ' (no bucket claimed yet)'}`,
  )
  console.log(`INSTALLATION_ID   ${identity.setting ?? 'not set'}`)
  for (const { bucket, name, found, verdict } of buckets) {
    const owner =
      found.kind === 'marked' ? `of installation ${found.mark.installation}` : found.kind
    console.log(`${bucket.padEnd(17)} ${name}: ${owner}`)
    console.log(
      `${''.padEnd(17)} ${'reason' in verdict ? verdict.reason : SENTENCES[verdict.kind]}`,
    )
  }
}

const SENTENCES = {
  ours: 'ours: what tombstones name is deleted',
  claimable: 'empty and without an owner: the next start claims it',
}

async function orphans(): Promise<void> {
  const report = makeOrphans({ db, objects, ownership })
  if (values.delete !== undefined) {
    const deleted = await report.delete(values.delete, { command: 'npm run bucket' })
    if (typeof deleted === 'string') throw new BucketsRefused(deleted)
    console.log(`${deleted} orphans deleted`)
    return
  }
  const { items, digest } = await report.list()
  for (const { bucket, key, sizeBytes, modifiedAt } of items) {
    const days = Math.floor((Date.now() - modifiedAt.getTime()) / 86_400_000)
    console.log(
      `${bucket.padEnd(9)} ${String(sizeBytes).padStart(12)} B ${String(days).padStart(5)} d  ${key}`,
    )
  }
  const bytes = items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  console.log(`${items.length} orphans, ${Math.ceil(bytes / 1e6)} MB, older than a day`)
  if (items.length > 0)
    console.log(`to delete exactly these: npm run bucket -- orphans --delete=${digest}`)
}

const commands: Record<string, () => Promise<void>> = {
  status: async () => {
    print(await ownership.look())
    const { open, due, failed } = await readTombstoneCounts(db)
    console.log(`tombstones        ${open} open, ${due} due, ${failed} failed the last time`)
  },
  claim: async () => {
    print(await ownership.claim(values.from ?? null, { command: 'npm run bucket' }))
  },
  open: async () => {
    const reason = await ownership.open({ areOwn: values.own ?? false })
    if (reason !== null) console.log(reason)
  },
  check: async () => {
    const reason = await ownership.open({ mayClaim: false })
    if (reason !== null) console.log(reason)
  },
  orphans,
}

try {
  const command = commands[positionals[0] ?? '']
  if (command === undefined) {
    console.error(USAGE)
    process.exitCode = 2
  } else await command()
} catch (error) {
  if (!(error instanceof BucketsRefused)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  await close()
  objects.close()
}
