import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { WriteFile } from './private-files.ts'

const Credentials = z.object({ email: z.string(), password: z.string() })

const StackInfo = z.object({
  /** False until everything is up and the demo catalogue is there. */
  ready: z.boolean(),
  webUrl: z.string(),
  apiUrl: z.string(),
  mediaUrl: z.string(),
  s3: z.object({
    endpoint: z.string(),
    bucket: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  }),
  /** A connection string of the wire protocol, for psql and drivers. */
  databaseUrl: z.string(),
  redisUrl: z.string(),
  /** Who can log in; `null` where the stack has made no such account, or does not know its password. */
  admin: Credentials.nullable(),
  listener: Credentials.nullable(),
  pids: z.record(z.string(), z.number()),
})

/** What other programs read to find a running stack. */
export type StackInfo = z.infer<typeof StackInfo>

/** Writes `DIR/stack.json`, for its owner's eyes only. */
export function writeStackInfo(dir: string, info: StackInfo, write: WriteFile): void {
  write(join(dir, 'stack.json'), `${JSON.stringify(info, null, 2)}\n`)
}

/** Reads `DIR/stack.json`; `null` when there is none. */
export function readStackInfo(dir: string): StackInfo | null {
  const file = join(dir, 'stack.json')
  if (!existsSync(file)) return null
  return StackInfo.parse(JSON.parse(readFileSync(file, 'utf8')))
}
