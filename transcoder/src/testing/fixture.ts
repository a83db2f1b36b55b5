import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { S3Client } from '@aws-sdk/client-s3'
import type { JobStep } from '@mist/db/contract'
import { parseEnv, type Env } from '../env.ts'
import { makeProcessor, type Processor } from '../jobs/transcode/processor.ts'
import { makeTagReader } from '../jobs/transcode/tag-reader.ts'
import { ffmpegOptions, objectStoreOptions, processorConfig } from '../options.ts'
import { openDatabase, type Database } from '../platform/database.ts'
import { makeFfmpeg } from '../platform/ffmpeg/index.ts'
import { makeLog } from '../platform/log.ts'
import { makeObjectStore, type ObjectStore } from '../platform/object-store.ts'
import { startTestStack, type TestStack } from './stack.ts'
import { makeTestS3 } from './uploads.ts'

const DEMO = new URL('../../../local/demo/', import.meta.url)

/** A recording of the demo catalogue. */
export const demo = (name: string) => fileURLToPath(new URL(name, DEMO))

type FixtureParts = {
  objects?: ObjectStore
  onStep?: (step: JobStep, seconds: number) => void
}

export type Fixture = {
  stack: TestStack
  env: Env
  db: Database
  s3: S3Client
  objects: ObjectStore
  /** A processor with the configuration of the environment, changed as given. */
  processor: (changes?: Record<string, string>, parts?: FixtureParts) => Processor
  /** A folder for files that a test makes. */
  files: string
  keyRing: string
  stop: () => Promise<void>
}

/** A stack and a processor without queue or relay: what most tests of the recipe need. */
export async function startFixture(
  options: { s3LatencyMs?: number; env?: Record<string, string> } = {},
): Promise<Fixture> {
  const stack = await startTestStack(options)
  const variables = { ...process.env, ...stack.env, ...options.env }
  const env = parseEnv(variables)
  const log = makeLog('silent')
  const database = openDatabase({ url: stack.databaseUrl, connections: 3, log })
  const s3 = makeTestS3(stack)
  const files = join(stack.folder, 'files')
  await mkdir(files)
  const objects = makeObjectStore(objectStoreOptions(env, 20))
  const tagReader = makeTagReader()

  function processor(changes: Record<string, string> = {}, parts: FixtureParts = {}): Processor {
    const changed = parseEnv({ ...variables, ...changes })
    return makeProcessor({
      db: database.db,
      objects,
      ...parts,
      tagReader,
      log,
      ffmpeg: makeFfmpeg(ffmpegOptions(changed)),
      config: processorConfig(changed),
    })
  }

  return {
    stack,
    env,
    db: database.db,
    s3,
    objects,
    processor,
    files,
    keyRing: stack.env.CONTENT_KEY_SECRET,
    async stop() {
      await database.close()
      objects.close()
      tagReader.close()
      s3.destroy()
      await stack.stop()
    },
  }
}
