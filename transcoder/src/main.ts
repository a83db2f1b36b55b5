import { setFlagsFromString } from 'node:v8'

// Before anything else is loaded: by default V8 lets the young generation grow to 128 MB while
// modules load and never gives it back, which is nearly half of what a job may take (measured:
// 270 MB resident after the start without, 150 MB with).
setFlagsFromString('--max-semi-space-size=16')
// The heap is small and buffers come and go: by default V8 marks all of it for every 10 MB of them,
// which took a third of the process's time. `npm run bench:ingest` runs under both flags.
setFlagsFromString('--heap-growing-percent=200')

const { parseEnv } = await import('./env.ts')
const { runTranscoder } = await import('./transcoder.ts')

try {
  const transcoder = await runTranscoder(parseEnv(process.env))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void transcoder.stop().then(() => process.exit(0))
    })
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
