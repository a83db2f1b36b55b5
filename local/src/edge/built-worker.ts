import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const BuiltWorker = z.object({
  compatibilityDate: z.string(),
  compatibilityFlags: z.array(z.string()),
  vars: z.record(z.string(), z.string()),
  crons: z.array(z.string()),
  ratelimits: z.array(
    z.object({
      name: z.string(),
      namespaceId: z.string(),
      limit: z.number(),
      periodS: z.union([z.literal(10), z.literal(60)]),
    }),
  ),
})

/** What a wrangler.toml says about a bundle, as far as a local run needs it. */
export type BuiltWorker = z.infer<typeof BuiltWorker>

/** Reads the description that lies beside a bundle. */
export function readBuiltWorker(dir: string): BuiltWorker {
  return BuiltWorker.parse(JSON.parse(readFileSync(join(dir, 'worker.json'), 'utf8')))
}
