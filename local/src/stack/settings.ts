import { CannotStart } from '../cannot-start.ts'
import type { State } from './state.ts'

/** Where the database is: our own, a Neon account, or any other Postgres. */
export type DatabaseSetting =
  | { kind: 'embedded' }
  | { kind: 'neon'; url: string }
  | { kind: 'postgres'; url: string }

/** Where Redis is. */
export type RedisSetting = { kind: 'embedded' } | { kind: 'external'; url: string }

/** Where objects are kept; `endpoint` is `null` for the embedded store until it has its port. */
export type S3Setting = {
  kind: 'embedded' | 'external'
  endpoint: string | null
  publicEndpoint: string | null
  region: string
  bucket: string
  originalsBucket: string
  accessKeyId: string
  secretAccessKey: string
}

/** Which parts are embedded and which are somewhere else. */
export type Settings = {
  database: DatabaseSetting
  redis: RedisSetting
  s3: S3Setting
  jwtSecret: string
  contentKeySecret: string
  /** Which installation this is: objects are deleted only in buckets that bear its mark. */
  installationId: string
  /** Whether `contentKeySecret` was made by this stack, so that nobody else has it. */
  hasOwnContentKey: boolean
  mediaBaseUrl: string | null
  /** Variables handed through to the Worker and the transcoder as they are. */
  passedOn: Record<string, string>
}

/** Limits and tools that the parts read themselves. */
const PASSED_ON = [
  'MAX_UPLOAD_BYTES',
  'SINGLE_PART_LIMIT_BYTES',
  'PART_SIZE_BYTES',
  'SHARE_BUCKETS',
  'LADDER',
  'MAX_DURATION_S',
  'MIN_DURATION_S',
  'MAX_CHANNELS',
  'MAX_SAMPLE_RATE',
  'TRANSCODE_CONCURRENCY',
  'JOB_ATTEMPTS',
  'DISK_FULL_RETRY_S',
  'SHUTDOWN_GRACE_S',
  'RELAY_INTERVAL_MS',
  'RECONCILE_INTERVAL_S',
  'SWEEP_INTERVAL_S',
  'ABANDONED_UPLOAD_S',
  'RETIRED_VERSION_S',
  'DASHBOARD_PASSWORD',
  'FFMPEG_CPU_S',
  'FFMPEG_WALL_S',
  'FFMPEG_MEMORY_MB',
  'FFMPEG_PATH',
  'FFPROBE_PATH',
  'LOG_LEVEL',
]

/**
 * Reads the environment: what it names replaces the embedded part; an empty value counts as absent.
 *
 * @throws CannotStart naming the variable that is missing beside another, or can't be read
 */
export function readSettings(env: NodeJS.ProcessEnv, { secrets, installationId }: State): Settings {
  const given = (name: string) => env[name]?.trim() || null
  const passedOn: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = given(name)
    if (value !== null) passedOn[name] = value
  }
  const redisUrl = given('REDIS_URL')
  return {
    database: readDatabase(given('DATABASE_URL')),
    redis: redisUrl === null ? { kind: 'embedded' } : { kind: 'external', url: redisUrl },
    s3: readS3(given, secrets),
    jwtSecret: given('JWT_SECRET') ?? secrets.jwtSecret,
    contentKeySecret: given('CONTENT_KEY_SECRET') ?? secrets.contentKeySecret,
    installationId: given('INSTALLATION_ID') ?? installationId,
    hasOwnContentKey: given('CONTENT_KEY_SECRET') === null,
    mediaBaseUrl: given('MEDIA_BASE_URL'),
    passedOn,
  }
}

function readDatabase(url: string | null): DatabaseSetting {
  if (url === null) return { kind: 'embedded' }
  if (!URL.canParse(url) || !/^postgres(?:ql)?:$/.test(new URL(url).protocol))
    throw new CannotStart('DATABASE_URL is not a postgres:// URL')
  const isNeon = new URL(url).hostname.endsWith('.neon.tech')
  return { kind: isNeon ? 'neon' : 'postgres', url }
}

function readS3(given: (name: string) => string | null, secrets: State['secrets']): S3Setting {
  const endpoint = given('S3_ENDPOINT')
  const common = {
    publicEndpoint: given('S3_PUBLIC_ENDPOINT'),
    region: given('S3_REGION') ?? 'auto',
    bucket: given('S3_BUCKET') ?? 'mist-media',
    originalsBucket: given('S3_ORIGINALS_BUCKET') ?? 'mist-originals',
  }
  if (endpoint === null)
    return {
      ...common,
      kind: 'embedded',
      endpoint: null,
      accessKeyId: secrets.s3AccessKeyId,
      secretAccessKey: secrets.s3SecretAccessKey,
    }
  const accessKeyId = given('S3_ACCESS_KEY_ID')
  const secretAccessKey = given('S3_SECRET_ACCESS_KEY')
  if (accessKeyId === null || secretAccessKey === null)
    throw new CannotStart(
      'S3_ENDPOINT is set, so S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be too',
    )
  return { ...common, kind: 'external', endpoint, accessKeyId, secretAccessKey }
}
