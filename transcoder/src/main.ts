import { setFlagsFromString } from 'node:v8'

// Before anything else is loaded: by default V8 lets the young generation grow to 128 MB while
// modules load and never gives it back, which is nearly half of what a job may take (measured:
// 270 MB resident after the start without, 150 MB with).
setFlagsFromString('--max-semi-space-size=16')

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
