import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { CannotStart } from '../cannot-start.ts'
import type { S3Setting } from './settings.ts'

/**
 * Checks whose the buckets are before anything is written to them. The embedded store's are this
 * stack's own; of others, empty ones are claimed and those of another installation are refused.
 *
 * @param options.mayClaim whether marks may be written, into the buckets and the database
 * @throws CannotStart that says whose they are and what to do
 */
export async function checkBuckets(options: {
  root: string
  env: NodeJS.ProcessEnv
  kind: S3Setting['kind']
  mayClaim: boolean
  say: (text: string) => void
}): Promise<void> {
  const { root, env, kind, mayClaim, say } = options
  const args = [join(root, 'transcoder/src/cli/bucket.ts'), mayClaim ? 'open' : 'check']
  if (kind === 'embedded') args.push('--own')
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new CannotStart(stderr.trim() || error.message, { cause: error }))
    })
  })
  if (printed.trim() !== '') say(printed.trim())
}
