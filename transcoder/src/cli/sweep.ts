/**
 * `npm run sweep`: deletes what rows say is to be deleted, now: what dead runs left, replaced versions
 * that nobody listens to, abandoned uploads, tracks deleted a day ago. `-- --track=ID`: this deleted
 * track without waiting for the day.
 */
import { parseArgs } from 'node:util'
import { TrackId } from '@mist/db/contract'
import { makeOwnership } from '../buckets/ownership.ts'
import { parseEnv } from '../env.ts'
import { objectStoreOptions, ownershipOptions, sweepOptions } from '../options.ts'
import { openDatabase } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'
import { makeObjectStore } from '../platform/object-store.ts'
import { makeSweep } from '../sweep.ts'

const env = parseEnv(process.env)
const log = makeLog('silent')
const { db, close } = openDatabase({ url: env.DATABASE_URL, connections: 2, log })
const objects = makeObjectStore(objectStoreOptions(env, 20))
const ownership = makeOwnership({ db, objects, ...ownershipOptions(env) })
try {
  const sweep = makeSweep({ db, objects, ownership, log, ...sweepOptions(env) })
  const { track } = parseArgs({ options: { track: { type: 'string' } } }).values
  if (track !== undefined)
    await sweep.hasten(TrackId.parse(track.toLowerCase()), { command: 'npm run sweep' })
  const swept = await sweep.sweep()
  console.log(`${swept.tombstones} tombstones worked off, ${swept.objects} objects deleted`)
  if (swept.failed > 0) console.error(`${swept.failed} failed; they are tried again in ten minutes`)
  if (swept.held !== null) console.error(swept.held)
  if (swept.failed > 0 || swept.held !== null) process.exitCode = 1
} finally {
  await close()
  objects.close()
}
