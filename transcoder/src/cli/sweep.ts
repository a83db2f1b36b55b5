/** `npm run sweep`: deletes what dead runs left and what nobody listens to any more, now. */
import { parseEnv } from '../env.ts'
import { objectStoreOptions, sweepOptions } from '../options.ts'
import { openDatabase } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'
import { makeObjectStore } from '../platform/object-store.ts'
import { makeSweep } from '../sweep.ts'

const env = parseEnv(process.env)
const log = makeLog('warn')
const { db, close } = openDatabase({ url: env.DATABASE_URL, connections: 2, log })
const objects = makeObjectStore(objectStoreOptions(env, 20))
try {
  const sweep = makeSweep({ db, objects, log, ...sweepOptions(env) })
  const { versions, objects: deleted } = await sweep.versions()
  const abandoned = await sweep.abandoned()
  const originals = await sweep.originals()
  console.log(
    `${versions} versions with ${deleted} objects, ${abandoned} abandoned uploads and ` +
      `${originals} originals deleted`,
  )
} finally {
  await close()
  objects.close()
}
