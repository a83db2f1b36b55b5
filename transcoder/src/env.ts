import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LADDER, MAX_UPLOAD_BYTES, parseKeyRing, type KeyRing } from '@mist/db/contract'
import { z } from 'zod'

const whole = (fallback: number) => z.coerce.number().int().nonnegative().default(fallback)
const count = (fallback: number) => z.coerce.number().int().positive().default(fallback)

const url = (...protocols: string[]) =>
  z.string().refine((text) => protocols.some((each) => text.startsWith(`${each}://`)), {
    message: `want an address that starts with ${protocols.map((each) => `${each}://`).join(' or ')}`,
  })

const keyRing = z.string().transform((text, context): KeyRing => {
  try {
    return parseKeyRing(text)
  } catch {
    // Not the parser's message: nothing of a secret may reach a log.
    context.addIssue({ code: 'custom', message: 'want kid:BASE64 of 32 bytes, comma-separated' })
    return z.NEVER
  }
})

const ladder = z
  .string()
  .default(DEFAULT_LADDER.map((bitrate) => bitrate / 1000).join(','))
  .transform((text) => text.split(',').map((each) => Number(each.trim()) * 1000))
  .refine(
    (rungs) =>
      rungs.length <= 8 &&
      new Set(rungs).size === rungs.length &&
      rungs.every((rung) => rung >= 16_000 && rung <= 512_000),
    { message: 'want one to eight different bitrates of 16 to 512 kbit/s, like 64,128,192' },
  )

/** Every variable that the transcoder reads; `.env.example` says how to make them. */
const Env = z.object({
  DATABASE_URL: url('postgres', 'postgresql').describe('the Postgres connection string'),
  REDIS_URL: url('redis', 'rediss').describe('the Redis connection string'),
  S3_ENDPOINT: url('http', 'https').describe("the store's address, without a bucket"),
  S3_REGION: z.string().default('auto').describe("the store's region; auto for R2"),
  S3_BUCKET: z.string().min(1).describe('the media bucket'),
  S3_ORIGINALS_BUCKET: z.string().min(1).describe('the private bucket of uploaded files'),
  S3_ACCESS_KEY_ID: z.string().min(1).describe('made in the S3 or R2 console'),
  S3_SECRET_ACCESS_KEY: z.string().min(1).describe('made in the S3 or R2 console'),
  INSTALLATION_ID: z
    .uuid()
    .transform((id) => id.toLowerCase())
    .optional()
    .describe('which installation this is; without it nothing is ever deleted from the buckets'),
  SHARE_BUCKETS: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('true: use buckets of another installation, and never delete'),
  CONTENT_KEY_SECRET: keyRing.describe('make it with: echo "k1:$(openssl rand -base64 32)"'),
  FFMPEG_PATH: z.string().min(1).default('ffmpeg').describe('ffmpeg, 5.1 or newer'),
  FFPROBE_PATH: z.string().min(1).default('ffprobe').describe('ffprobe, 5.1 or newer'),
  WORK_DIR: z.string().min(1).default(join(tmpdir(), 'mist')).describe('scratch space'),
  TRANSCODE_CONCURRENCY: count(Math.max(1, Math.floor(availableParallelism() / 2))).describe(
    'jobs at once',
  ),
  METRICS_PORT: whole(9464).describe('port of /metrics, /healthz and the dashboard; 0 is any'),
  METRICS_HOST: z.string().default('127.0.0.1').describe('address they listen on'),
  DASHBOARD_PASSWORD: z
    .string()
    .min(12)
    .optional()
    .describe('password of the queue dashboard (user admin); without it there is none'),
  LADDER: ladder.describe('kbit/s of the renditions, comma-separated'),
  MAX_DURATION_S: count(6 * 3600).describe('longest recording, seconds'),
  MIN_DURATION_S: z.coerce.number().nonnegative().default(0.5).describe('shortest, seconds'),
  MAX_CHANNELS: count(8).describe('most channels of a recording'),
  MAX_SAMPLE_RATE: count(192_000).describe('highest sample rate of a recording, Hz'),
  MAX_UPLOAD_BYTES: count(MAX_UPLOAD_BYTES).describe('largest file'),
  FFMPEG_CPU_S: count(7200).describe('CPU seconds of one ffmpeg'),
  FFMPEG_WALL_S: count(7200).describe('seconds of one ffmpeg'),
  FFMPEG_MEMORY_MB: count(1024).describe('address space of one ffmpeg'),
  JOB_ATTEMPTS: count(5).describe('attempts at a job that breaks'),
  DISK_FULL_RETRY_S: count(300).describe('wait after a full work folder'),
  SHUTDOWN_GRACE_S: count(25).describe('time to finish or hand back jobs at SIGTERM'),
  RELAY_INTERVAL_MS: count(500).describe('how often the outbox is read'),
  RECONCILE_INTERVAL_S: count(10).describe('how often Postgres and Redis are compared'),
  SWEEP_INTERVAL_S: count(600).describe('how often leftovers are deleted'),
  ABANDONED_UPLOAD_S: whole(24 * 3600).describe('how long an upload that ended incomplete is kept'),
  RETIRED_VERSION_S: whole(3600).describe('how long a replaced version is kept'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('log'),
})

export const VARIABLES = Object.keys(Env.shape)

const PURPOSES = new Map(Object.entries(Env.shape).map(([name, type]) => [name, type.description]))

export type Env = z.infer<typeof Env>

/** What reaching the database and the buckets takes, and nothing else. */
const StorageEnv = Env.pick({
  DATABASE_URL: true,
  S3_ENDPOINT: true,
  S3_REGION: true,
  S3_BUCKET: true,
  S3_ORIGINALS_BUCKET: true,
  S3_ACCESS_KEY_ID: true,
  S3_SECRET_ACCESS_KEY: true,
  INSTALLATION_ID: true,
  SHARE_BUCKETS: true,
})
export type StorageEnv = z.infer<typeof StorageEnv>

type Variables = Record<string, string | undefined>

/**
 * Parses the environment.
 *
 * @throws Error that lists every variable that is missing or wrong, and what it wants
 */
export const parseEnv = (variables: Variables): Env =>
  parse(Env, variables, "The transcoder can't start")

/**
 * Parses what commands about the buckets need.
 *
 * @throws Error as {@link parseEnv}
 */
export const parseStorageEnv = (variables: Variables): StorageEnv =>
  parse(StorageEnv, variables, "The buckets can't be reached")

function parse<S extends z.ZodType>(schema: S, variables: Variables, title: string): z.infer<S> {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0])
    const purpose = PURPOSES.get(name) ?? ''
    return given[name] === undefined
      ? `  ${name} is missing: ${purpose}`
      : `  ${name}: ${issue.message} (${purpose})`
  })
  throw new Error(`${title}:\n${[...new Set(lines)].join('\n')}`)
}
