import { makeNeonProxy } from '../postgres/neon-proxy.ts'
import { onStop } from '../process/entry.ts'

// The connection string comes in the environment, not as an argument: it may hold a password, and
// arguments can be read by every user of the machine.

const { NEON_PROXY_UPSTREAM: upstream, NEON_PROXY_PORT: port, NEON_PROXY_CONNECTIONS } = process.env
if (upstream === undefined || port === undefined)
  throw new Error('NEON_PROXY_UPSTREAM and NEON_PROXY_PORT are not set')

const proxy = await makeNeonProxy({
  upstream,
  port: Number(port),
  maxConnections: Number(NEON_PROXY_CONNECTIONS ?? 20),
})
console.log(`speaking Neon's protocols at ${proxy.url}`)
onStop(() => proxy.stop())
