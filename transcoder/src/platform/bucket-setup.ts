import { createHash } from 'node:crypto'
import {
  CreateBucketCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  S3Client,
  S3ServiceException,
  type BucketLocationConstraint,
  type CORSRule,
  type LifecycleRule,
} from '@aws-sdk/client-s3'

/** What was found or done about one thing that a bucket needs. */
export type SetupStep = {
  bucket: string
  /** What a person reads: "CORS for https://music.example". */
  need: string
  outcome: 'made' | 'was there' | 'missing'
  /** Why it is missing, and what to do instead. */
  advice?: string
}

/** Parts of uploads that nobody completes are paid for until something deletes them. */
const ABORT_AFTER_DAYS = 7

const LIFECYCLE_RULE_ID = 'mist-abort-incomplete-uploads'

/** What {@link setUpBuckets} needs. */
export type BucketSetupOptions = {
  endpoint: string
  /** "auto" for R2. */
  region: string
  accessKeyId: string
  secretAccessKey: string
  mediaBucket: string
  originalsBucket: string
  /** Origins of the web app, without a path. */
  webOrigins: readonly string[]
}

/**
 * Makes the two buckets what MIST needs them to be: there, open to the web app's pages (uploads to one,
 * fetches from the other through a CDN), and free of uploads that nobody completed. Rules of others
 * stay. The same again changes nothing.
 *
 * @throws Error where the store can't be reached or refuses the keys
 */
export async function setUpBuckets(options: BucketSetupOptions): Promise<SetupStep[]> {
  const client = makeClient(options)
  try {
    const steps: SetupStep[] = []
    for (const bucket of [options.mediaBucket, options.originalsBucket]) {
      const isThere = await ensureBucket(client, bucket, options.region)
      steps.push(isThere)
      if (isThere.outcome === 'missing') continue
      const rule =
        bucket === options.originalsBucket
          ? uploadRule(options.webOrigins)
          : fetchRule(options.webOrigins)
      steps.push(await ensureCors(client, options, bucket, rule))
      steps.push(await ensureLifecycle(client, bucket))
    }
    return steps
  } finally {
    client.destroy()
  }
}

/** Pages upload with presigned PUTs, and read the ETag of every part. */
function uploadRule(origins: readonly string[]): CORSRule {
  return {
    ID: 'mist-uploads',
    AllowedOrigins: [...origins],
    AllowedMethods: ['PUT'],
    AllowedHeaders: ['content-type', 'if-none-match'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: 86_400,
  }
}

/** Pages read ciphertext from a CDN in front of the bucket, where MEDIA_BASE_URL names one. */
function fetchRule(origins: readonly string[]): CORSRule {
  return {
    ID: 'mist-media',
    AllowedOrigins: [...origins],
    AllowedMethods: ['GET', 'HEAD'],
    AllowedHeaders: ['range'],
    ExposeHeaders: ['Content-Length', 'Content-Range', 'ETag'],
    MaxAgeSeconds: 86_400,
  }
}

function makeClient({ endpoint, region, accessKeyId, secretAccessKey }: BucketSetupOptions) {
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000 },
  })
  // S3 wants a checksum of a bucket's rules. Every store knows Content-MD5; the SDK's own CRC-32 is
  // refused by some.
  client.middlewareStack.add(
    (next) => (args) => {
      const request: unknown = args.request
      if (hasHeaders(request) && typeof request.body === 'string') {
        for (const name of Object.keys(request.headers))
          if (/^x-amz-(sdk-)?checksum-/i.test(name)) delete request.headers[name]
        request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64')
      }
      return next(args)
    },
    { step: 'build', priority: 'low', name: 'contentMd5' },
  )
  return client
}

function hasHeaders(value: unknown): value is { headers: Record<string, string>; body: unknown } {
  return typeof value === 'object' && value !== null && 'headers' in value && 'body' in value
}

async function ensureBucket(client: S3Client, bucket: string, region: string): Promise<SetupStep> {
  const need = 'the bucket'
  const head = await attempt(() => client.send(new HeadBucketCommand({ Bucket: bucket })))
  if (head.isDone) return { bucket, need, outcome: 'was there' }
  if (head.error.$metadata.httpStatusCode !== 404) {
    const advice =
      head.error.$metadata.httpStatusCode === 403
        ? 'the keys may not see it: it belongs to another account, or they are for other buckets'
        : said(head.error)
    return { bucket, need, outcome: 'missing', advice }
  }
  const made = await attempt(() =>
    client.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ...(isLocation(region) && { CreateBucketConfiguration: { LocationConstraint: region } }),
      }),
    ),
  )
  if (made.isDone || made.error.name === 'BucketAlreadyOwnedByYou')
    return { bucket, need, outcome: made.isDone ? 'made' : 'was there' }
  const advice = `${said(made.error)}: make it in the store's console, or use keys that may`
  return { bucket, need, outcome: 'missing', advice }
}

/** Any region but S3's first has to be named; stores without regions get none. */
function isLocation(region: string): region is BucketLocationConstraint {
  return region !== 'auto' && region !== 'us-east-1'
}

async function ensureCors(
  client: S3Client,
  { endpoint, webOrigins }: BucketSetupOptions,
  bucket: string,
  rule: CORSRule,
): Promise<SetupStep> {
  const need = `CORS for ${webOrigins.join(', ')} (${rule.AllowedMethods?.join(', ')})`
  const read = await attempt(() => client.send(new GetBucketCorsCommand({ Bucket: bucket })))
  const present = read.isDone ? (read.value.CORSRules ?? []) : []
  if (present.some((each) => covers(each, rule))) return { bucket, need, outcome: 'was there' }

  const isNone = !read.isDone && read.error.name === 'NoSuchCORSConfiguration'
  if (read.isDone || isNone) {
    const others = present.filter((each) => !isOurs(each, rule))
    const rules = { CORSRules: [...others, rule] }
    const put = await attempt(() =>
      client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: rules })),
    )
    if (put.isDone) return { bucket, need, outcome: 'made' }
    if (await allowsPages(endpoint, bucket, rule)) return { bucket, need, outcome: 'was there' }
    return { bucket, need, outcome: 'missing', advice: corsAdvice(said(put.error), rule) }
  }
  // A store whose rules can't be read may still let pages in: MinIO lets all of them.
  if (await allowsPages(endpoint, bucket, rule)) return { bucket, need, outcome: 'was there' }
  return { bucket, need, outcome: 'missing', advice: corsAdvice(said(read.error), rule) }
}

function corsAdvice(reason: string, rule: CORSRule): string {
  return (
    `${reason}. In the store's own configuration, allow ${rule.AllowedMethods?.join(' and ')} from ` +
    `these origins with the headers ${rule.AllowedHeaders?.join(' and ')}, and expose ` +
    `${rule.ExposeHeaders?.join(', ')}`
  )
}

/** Asks as a browser asks before it sends what the rule is for, from each of the origins. */
async function allowsPages(endpoint: string, bucket: string, rule: CORSRule): Promise<boolean> {
  for (const origin of rule.AllowedOrigins ?? [])
    for (const method of rule.AllowedMethods ?? []) {
      const answer = await fetch(`${endpoint}/${bucket}/preflight`, {
        method: 'OPTIONS',
        signal: AbortSignal.timeout(10_000),
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': (rule.AllowedHeaders ?? []).join(','),
        },
      }).catch(() => null)
      const allowed = answer?.headers.get('access-control-allow-origin')
      if (answer?.ok !== true || (allowed !== '*' && allowed !== origin)) return false
    }
  return true
}

/** Tells whether a rule allows at least what ours would. */
export function covers(rule: CORSRule, ours: CORSRule): boolean {
  return (
    hasAll(rule.AllowedOrigins, ours.AllowedOrigins) &&
    hasAll(rule.AllowedMethods, ours.AllowedMethods) &&
    hasAll(rule.AllowedHeaders, ours.AllowedHeaders) &&
    hasAll(rule.ExposeHeaders, ours.ExposeHeaders)
  )
}

/** A rule that an earlier run made for other origins; not every store keeps a rule's id. */
function isOurs(rule: CORSRule, ours: CORSRule): boolean {
  return (
    rule.ID === ours.ID ||
    (isSame(rule.AllowedMethods, ours.AllowedMethods) &&
      isSame(rule.AllowedHeaders, ours.AllowedHeaders) &&
      isSame(rule.ExposeHeaders, ours.ExposeHeaders))
  )
}

/** Names of headers have no case, and `*` is all of them. */
function hasAll(have: string[] = [], want: string[] = []): boolean {
  const lower = new Set(have.map((each) => each.toLowerCase()))
  return lower.has('*') || want.every((each) => lower.has(each.toLowerCase()))
}

function isSame(one: string[] = [], other: string[] = []): boolean {
  return one.length === other.length && hasAll(one, other)
}

async function ensureLifecycle(client: S3Client, bucket: string): Promise<SetupStep> {
  const need = `incomplete uploads are deleted after ${ABORT_AFTER_DAYS} days`
  const read = await attempt(() =>
    client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })),
  )
  const isNone = !read.isDone && read.error.name === 'NoSuchLifecycleConfiguration'
  if (!read.isDone && !isNone)
    return { bucket, need, outcome: 'missing', advice: lifecycleAdvice(said(read.error)) }
  const present = read.isDone ? (read.value.Rules ?? []) : []
  if (present.some(abortsAll)) return { bucket, need, outcome: 'was there' }
  const rule: LifecycleRule = {
    ID: LIFECYCLE_RULE_ID,
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_AFTER_DAYS },
  }
  const others = present.filter(({ ID }) => ID !== LIFECYCLE_RULE_ID)
  const rules = { Rules: [...others, rule] }
  const put = await attempt(() =>
    client.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: rules }),
    ),
  )
  if (put.isDone) return { bucket, need, outcome: 'made' }
  return { bucket, need, outcome: 'missing', advice: lifecycleAdvice(said(put.error)) }
}

function lifecycleAdvice(reason: string): string {
  return `${reason}. Parts of uploads that nobody completes stay until the store itself deletes them`
}

/** A rule, whoever made it, that ends incomplete uploads everywhere in the bucket. */
function abortsAll(rule: LifecycleRule): boolean {
  const { Status, Filter, Prefix, AbortIncompleteMultipartUpload: abort } = rule
  const isWhole = !(Prefix || Filter?.Prefix || Filter?.And || Filter?.Tag)
  return Status === 'Enabled' && isWhole && abort !== undefined
}

type Attempt<T> = { isDone: true; value: T } | { isDone: false; error: S3ServiceException }

/** Keeps a store's refusal as a value; what is no answer of a store is thrown. */
async function attempt<T>(call: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { isDone: true, value: await call() }
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error
    if (['InvalidAccessKeyId', 'SignatureDoesNotMatch'].includes(error.name))
      throw new Error(`the store refuses the keys: ${said(error)}`, { cause: error })
    return { isDone: false, error }
  }
}

function said({ name, message, $metadata }: S3ServiceException): string {
  const detail = message === name || message === '' ? '' : `, ${message.replace(/\.$/, '')}`
  return `the store answers ${name}${detail} (${$metadata.httpStatusCode ?? 'no status'})`
}
