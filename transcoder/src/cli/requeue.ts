/**
 * `npm run reembed` and `npm run retranscode`: queue the published tracks that need it; a running
 * transcoder does the work. Reads DATABASE_URL.
 */
import { openDatabase } from '../platform/database.ts'
import { makeLog } from '../platform/log.ts'
import { requeue } from '../requeue.ts'

const [kind] = process.argv.slice(2)
const url = process.env['DATABASE_URL']
if ((kind !== 'reembed' && kind !== 'retranscode') || url === undefined) {
  console.error('usage: DATABASE_URL=postgres://… npm run reembed | npm run retranscode')
  process.exit(2)
}
const { db, close } = openDatabase({ url, connections: 1, log: makeLog('warn') })
try {
  console.log(`${await requeue(db, kind)} tracks queued to ${kind}`)
} finally {
  await close()
}
