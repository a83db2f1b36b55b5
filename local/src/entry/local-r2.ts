import { startLocalR2 } from '../local-r2.ts'
import { onStop } from '../process/entry.ts'

const { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_BUCKETS, S3_DIR, S3_PORT } = process.env
const { S3_ALLOWED_ORIGINS = '', S3_LATENCY_MS } = process.env
if (!S3_ACCESS_KEY_ID || !S3_SECRET_ACCESS_KEY || !S3_BUCKETS || !S3_DIR || !S3_PORT)
  throw new Error(
    'S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_BUCKETS, S3_DIR, S3_PORT: not all set',
  )

const r2 = await startLocalR2({
  dir: S3_DIR,
  port: Number(S3_PORT),
  buckets: S3_BUCKETS.split(','),
  accessKeyId: S3_ACCESS_KEY_ID,
  secretAccessKey: S3_SECRET_ACCESS_KEY,
  allowedOrigins: S3_ALLOWED_ORIGINS.split(',').filter((origin) => origin !== ''),
  latencyMs: Number(S3_LATENCY_MS ?? 0),
})
console.log(`S3 at ${r2.endpoint}`)
onStop(() => r2.stop())
