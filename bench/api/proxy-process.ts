import { makeNeonProxy } from '@mist/local/postgres/neon-proxy'

// The database's HTTP front in a process of its own: in the benchmark's, its work would be counted
// as waiting, and at many connections the two would wait for each other.
const [upstream = '', latencyMs = '0'] = process.argv.slice(2)
let statements = 0
const proxy = await makeNeonProxy({
  upstream,
  latencyMs: Number(latencyMs),
  onStatement: () => {
    statements++
  },
})
process.on('message', () => process.send?.({ statements }))
process.once('disconnect', () => void proxy.stop())
process.send?.({ url: proxy.url })
