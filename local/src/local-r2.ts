import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { startS3Gateway } from './s3-gateway.ts'

/** Where local R2 answers S3 requests, below its own address. */
export const S3_PATH = '/cdn-cgi/local/r2/s3'

/** What {@link startLocalR2} needs. */
export type LocalR2Options = {
  dir: string
  /** 0 lets the system choose. */
  port: number
  buckets: readonly string[]
  accessKeyId: string
  secretAccessKey: string
  /** Origins of the pages that may use it; none when not given. */
  allowedOrigins?: readonly string[]
  /** Added to each request, in milliseconds. */
  latencyMs?: number
}

/**
 * Starts the S3 endpoint of Cloudflare's local R2 (it checks signatures, expiry and exact lengths as
 * R2 does), with CORS in front. Path style: `ENDPOINT/BUCKET/KEY`; region `auto`.
 */
export async function startLocalR2(options: LocalR2Options) {
  const { dir, port, buckets, accessKeyId, secretAccessKey } = options
  const { allowedOrigins = [], latencyMs = 0 } = options
  const s3Credentials = { accessKeyId, secretAccessKey }
  const r2 = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      // The endpoint is Miniflare's own; a Worker has to be there, but nothing calls it.
      script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
      compatibilityDate: '2026-11-01',
      host: '127.0.0.1',
      port: 0,
      cf: false,
      // Miniflare's own port also serves every object without a signature. This moves all that is asked
      // of it below S3's path.
      upstream: `http://127.0.0.1${S3_PATH}/`,
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: dir,
      r2Buckets: Object.fromEntries(
        buckets.map((id, index) => [`BUCKET_${index}`, { id, s3Credentials }]),
      ),
    }),
  )
  const upstream = await r2.ready
  const gateway = await startS3Gateway({
    upstreamPort: Number(upstream.port),
    path: S3_PATH,
    port,
    allowedOrigins,
    latencyMs,
  })
  return {
    endpoint: `http://127.0.0.1:${gateway.port}${S3_PATH}`,
    /** Where Miniflare itself listens, for tests of what answers there. */
    ownPort: Number(upstream.port),
    /** Ends the endpoint; what was stored stays. */
    async stop(): Promise<void> {
      await gateway.stop()
      await r2.dispose()
    },
  }
}
