import { startPgliteServer } from '../postgres/pglite-server.ts'
import { onStop } from '../process/entry.ts'

// The embedded Postgres as a process of its own: WebAssembly keeps a CPU busy for whole queries,
// which must not hold up anything else.

const [dataDir, port] = process.argv.slice(2)
// Not an argument: those can be read by every user of the machine.
const password = process.env['EMBEDDED_POSTGRES_PASSWORD']
if (dataDir === undefined || port === undefined || !password)
  throw new Error('usage: EMBEDDED_POSTGRES_PASSWORD=… postgres.ts DIR PORT')

const server = await startPgliteServer({
  dataDir,
  port: Number(port),
  password,
  onFatal: (error) => {
    console.error('the embedded Postgres crashed', error)
    process.exit(1)
  },
})
console.log(`serving ${dataDir} at port ${server.port}`) // its URL holds the password
onStop(() => server.stop())
