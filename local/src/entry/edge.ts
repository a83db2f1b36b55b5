import { z } from 'zod'
import { startEdge } from '../edge/workerd.ts'
import { onStop } from '../process/entry.ts'

const Config = z.object({
  bundles: z.object({ api: z.string(), web: z.string() }),
  apiPort: z.number(),
  webPort: z.number(),
  apiEnv: z.record(z.string(), z.string()),
  webEnv: z.record(z.string(), z.string()),
  rateLimitFactor: z.number(),
  runsSchedules: z.boolean(),
})

// In the environment, not as an argument, which every user of the machine could read.
const config = Config.parse(JSON.parse(process.env['MIST_EDGE'] ?? '{}'))
const edge = await startEdge(config)
console.log(`web at ${config.webPort}, API at ${config.apiPort}`)
onStop(() => edge.stop())
