import { parseKeyRing } from '@mist/db/contract'
import { MAX_UPLOAD_BYTES, PART_SIZE_BYTES, SINGLE_PART_LIMIT_BYTES } from '@mist/db/contract'
import { z } from 'zod'

/** A Cloudflare Rate Limiting binding: it tells whether one more is allowed, and nothing else. */
type RateLimiter = { limit: (options: { key: string }) => Promise<{ success: boolean }> }

const optionalUrl = z.preprocess(
  (value) => (value === '' ? undefined : value),
  z
    .url()
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
)

const bytes = (fallback: number) =>
  z.preprocess(
    (value) => (value === '' || value === undefined ? fallback : value),
    z.coerce.number().int().positive(),
  )

const limiter = z
  .custom<RateLimiter>((value) => typeof value === 'object' && value !== null && 'limit' in value)
  .optional()

const Env = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\/.+/, 'want a postgres:// URL'),
  NEON_PROXY_URL: optionalUrl,
  JWT_SECRET: z.string().min(32, 'want at least 32 characters'),
  CONTENT_KEY_SECRET: z.string().transform((text, context) => {
    try {
      return parseKeyRing(text)
    } catch {
      // The parser's own message may quote the entry, and with it the key.
      context.addIssue({ code: 'custom', message: 'want kid:BASE64 of 32 bytes' })
      return z.NEVER
    }
  }),
  S3_ENDPOINT: z.url().transform((url) => url.replace(/\/+$/, '')),
  S3_PUBLIC_ENDPOINT: optionalUrl,
  S3_REGION: z.string().min(1).default('auto'),
  S3_BUCKET: z.string().min(1),
  S3_ORIGINALS_BUCKET: z.string().min(1),
  S3_ACCESS_KEY_ID: z.string().min(1),
  S3_SECRET_ACCESS_KEY: z.string().min(1),
  MEDIA_BASE_URL: optionalUrl,
  WEB_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((origin) => origin !== ''))
    .pipe(z.array(z.url().transform((url) => new URL(url).origin))),
  MAX_UPLOAD_BYTES: bytes(MAX_UPLOAD_BYTES),
  SINGLE_PART_LIMIT_BYTES: bytes(SINGLE_PART_LIMIT_BYTES),
  /** S3 takes no part but the last below 5 MiB. */
  PART_SIZE_BYTES: bytes(PART_SIZE_BYTES).pipe(z.number().min(5 * 1024 ** 2)),
  RATE_LIMIT_AUTH: limiter,
  RATE_LIMIT_UPLOADS: limiter,
  RATE_LIMIT_KEYS: limiter,
  RATE_LIMIT_SEARCH: limiter,
})

/** The Worker's configuration, parsed. */
export type Config = z.infer<typeof Env>

/** Every variable that the Worker reads; the limiters are bindings, which wrangler.toml makes. */
export const VARIABLES = Object.keys(Env.shape).filter((name) => !name.startsWith('RATE_LIMIT_'))

const HOW: Record<string, string> = {
  DATABASE_URL: "Neon's connection string, postgres://…",
  NEON_PROXY_URL: 'only without Neon: http origin of a proxy that speaks its protocol',
  JWT_SECRET: 'openssl rand -base64 48',
  CONTENT_KEY_SECRET: 'echo "k1:$(openssl rand -base64 32)"',
  S3_ENDPOINT: 'https://ACCOUNT.r2.cloudflarestorage.com, or any S3 endpoint, path style',
  S3_BUCKET: 'the bucket for encrypted media',
  S3_ORIGINALS_BUCKET: 'the private bucket for uploaded originals',
  S3_ACCESS_KEY_ID: 'from the S3 or R2 dashboard',
  S3_SECRET_ACCESS_KEY: 'from the S3 or R2 dashboard',
  WEB_ORIGINS: 'origins of web pages that may call the API, separated by commas',
}

/** A configuration that can't work: its message names the variables and how to make them. */
export class BadEnv extends Error {
  override name = 'BadEnv'
}

/**
 * Parses the Worker's environment.
 *
 * @throws BadEnv naming each wrong variable, what is wanted and how to make it; never a value
 */
export function readEnv(env: unknown): Config {
  // Empty counts as absent: .env.example lists every name, and wrangler hands on what .env says.
  const given = Object.entries(env ?? {}).filter(([, value]) => value !== '')
  const parsed = Env.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? 'environment')
    return `${name}: ${message}${HOW[name] === undefined ? '' : ` (${HOW[name]})`}`
  })
  throw new BadEnv(`the environment is not usable:\n${[...new Set(lines)].join('\n')}`)
}
