import { runTranscoder } from './transcoder.ts'
import { parseEnv } from './env.ts'

const transcoder = await runTranscoder(parseEnv(process.env))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void transcoder.stop().then(() => process.exit(0))
  })
}
