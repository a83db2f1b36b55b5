/**
 * `npm run reembed` and `npm run retranscode`: queue the published tracks that need it; a running
 * transcoder does the work. Reads DATABASE_URL.
 */
import { enqueueCatalogue, type CatalogueJob } from '@mist/db/statements'
import { EMBEDDING_VERSION } from '../audio/analyser.ts'
import { openDatabase } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'

const [kind] = process.argv.slice(2)
const url = process.env['DATABASE_URL']
if ((kind !== 'reembed' && kind !== 'retranscode') || url === undefined) {
  console.error('usage: DATABASE_URL=postgres://… npm run reembed | npm run retranscode')
  process.exit(2)
}
const { db, close } = openDatabase({ url, connections: 1, log: makeLog('warn') })
try {
  const job: CatalogueJob =
    kind === 'reembed' ? { kind, embeddingVersion: EMBEDDING_VERSION } : { kind }
  const { rows } = await db.execute(enqueueCatalogue(job, new Date()))
  console.log(`${rows.length} tracks queued to ${kind}`)
} finally {
  await close()
}
