import { startPgliteServer } from '../postgres/pglite-server.ts'
import { onStop } from '../process/entry.ts'

// The embedded Postgres as a process of its own: WebAssembly keeps a CPU busy for whole queries,
// which must not hold up anything else.

const [dataDir, port] = process.argv.slice(2)
if (dataDir === undefined || port === undefined) throw new Error('usage: postgres.ts DIR PORT')

const server = await startPgliteServer({
  dataDir,
  port: Number(port),
  onFatal: (error) => {
    console.error('the embedded Postgres crashed', error)
    process.exit(1)
  },
})
console.log(`serving ${dataDir} at ${server.url}`)
onStop(() => server.stop())
