/**
 * `npm run setup:s3`: makes the two buckets, and gives them the rules that MIST needs. Reads S3_* and
 * WEB_ORIGINS from the environment, or from .env. Needs keys that may make buckets and set their rules
 * (R2: Admin Read & Write), which the running parts do not.
 */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { setUpBuckets } from '../platform/bucket-setup.ts'

const Env = z.object({
  S3_ENDPOINT: z.url().transform((url) => url.replace(/\/+$/, '')),
  S3_REGION: z.string().default('auto'),
  S3_BUCKET: z.string().default('mist-media'),
  S3_ORIGINALS_BUCKET: z.string().default('mist-originals'),
  S3_ACCESS_KEY_ID: z.string(),
  S3_SECRET_ACCESS_KEY: z.string(),
  WEB_ORIGINS: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter((origin) => origin !== ''))
    .pipe(z.array(z.url().transform((url) => new URL(url).origin)).min(1)),
})

if (existsSync('.env')) process.loadEnvFile('.env')
const given = Object.entries(process.env).filter(([, value]) => value !== '')
const parsed = Env.safeParse(Object.fromEntries(given))
if (!parsed.success) {
  const names = new Set(parsed.error.issues.map(({ path }) => String(path[0])))
  console.error(`missing or wrong: ${[...names].join(', ')}; .env.example says what they are`)
  process.exit(2)
}
const env = parsed.data
try {
  const steps = await setUpBuckets({
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    accessKeyId: env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY,
    mediaBucket: env.S3_BUCKET,
    originalsBucket: env.S3_ORIGINALS_BUCKET,
    webOrigins: env.WEB_ORIGINS,
  })
  for (const { bucket, need, outcome, advice } of steps) {
    console.log(`${bucket}: ${need}: ${outcome}`)
    if (advice !== undefined) console.log(`  ${advice}`)
  }
  process.exitCode = steps.some(({ outcome }) => outcome === 'missing') ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
