import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NoSuchUpload,
  NotFound,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Bucket } from '@mist/db/contract'
import { z } from 'zod'

/** What is stored under a version's prefix never changes: a new version has a new prefix. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** A cover is not encrypted, and a track may be taken down: an hour. */
const COVER = 'public, max-age=3600'

/** A request that has not been answered by then has failed. */
const REQUEST_TIMEOUT_MS = 30_000

/** Deletes in flight at once. */
const DELETES_AT_ONCE = 16

/** The two buckets, by what they hold. */
export const BUCKETS = Bucket.options
export type { Bucket }

/**
 * Permission to delete objects. Only the check of who owns the buckets makes one, so that nothing can
 * be deleted past it.
 */
export const DeletePermit = z.object({ installation: z.uuid() }).brand<'DeletePermit'>()
export type DeletePermit = z.infer<typeof DeletePermit>

export type StoredObject = { key: string; sizeBytes: number; modifiedAt: Date }

export type ObjectStore = ReturnType<typeof makeObjectStore>

/** Two buckets of an S3-compatible store: media (ciphertext and covers) and originals (private). */
export function makeObjectStore(options: {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  mediaBucket: string
  originalsBucket: string
  /** Connections held open at once. */
  connections: number
}) {
  const { mediaBucket, originalsBucket } = options
  const names: Record<Bucket, string> = { media: mediaBucket, originals: originalsBucket }
  const client = new S3Client({
    endpoint: options.endpoint,
    region: options.region,
    credentials: {
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey,
    },
    // Buckets in the path: the one spelling that every S3-compatible store understands.
    forcePathStyle: true,
    // The SDK's default checksum trailers are not understood by all stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: { maxSockets: options.connections, keepAlive: true },
      httpsAgent: { maxSockets: options.connections, keepAlive: true },
    },
  })

  async function* list(bucket: Bucket, prefix: string): AsyncGenerator<StoredObject> {
    let token: string | undefined
    do {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: names[bucket],
          Prefix: prefix,
          ContinuationToken: token,
        }),
      )
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) {
          yield { key: Key, sizeBytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) }
        }
      }
      token = page.NextContinuationToken
    } while (token !== undefined)
  }

  return {
    /** Stores an object of the media bucket; the same again is harmless. */
    async putMedia(
      key: string,
      body: Uint8Array,
      contentType: string,
      signal?: AbortSignal,
    ): Promise<void> {
      await client.send(
        new PutObjectCommand({
          Bucket: mediaBucket,
          Key: key,
          Body: body,
          ContentLength: body.length,
          ContentType: contentType,
          CacheControl: contentType.startsWith('image/') ? COVER : IMMUTABLE,
        }),
        signal === undefined ? {} : { abortSignal: signal },
      )
    },

    /**
     * Streams an original into a local file, never more than `maxBytes`.
     *
     * @param etag of the object that is wanted; null takes any
     * @returns its size in bytes, null where there is no such object, `changed` where it is another
     */
    async downloadOriginal(
      key: string,
      file: string,
      { maxBytes, etag, signal }: { maxBytes: number; etag: string | null; signal: AbortSignal },
    ): Promise<number | null | 'changed'> {
      const answer = await client
        .send(
          new GetObjectCommand({
            Bucket: originalsBucket,
            Key: key,
            ...(etag !== null && { IfMatch: etag }),
          }),
          { abortSignal: signal },
        )
        .catch((error: unknown) => {
          if (error instanceof NoSuchKey || error instanceof NotFound) return null
          if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412)
            return 'changed' as const
          throw error
        })
      // Also where a store ignores If-Match.
      if (answer === 'changed' || (etag !== null && answer !== null && answer.ETag !== etag)) {
        if (answer !== 'changed' && answer.Body instanceof Readable) answer.Body.destroy()
        return 'changed'
      }
      if (answer === null || !(answer.Body instanceof Readable)) return null
      const size = answer.ContentLength ?? 0
      if (size > maxBytes) {
        answer.Body.destroy()
        return size
      }
      await pipeline(answer.Body, createWriteStream(file, { mode: 0o600 }), { signal })
      return size
    },

    /** Reads a small object of the media bucket; null where there is none. */
    async readMedia(key: string, signal: AbortSignal): Promise<Uint8Array | null> {
      try {
        const { Body } = await client.send(
          new GetObjectCommand({ Bucket: mediaBucket, Key: key }),
          { abortSignal: signal },
        )
        return (await Body?.transformToByteArray()) ?? null
      } catch (error) {
        if (error instanceof NoSuchKey || error instanceof NotFound) return null
        throw error
      }
    },

    /** What a bucket is called in the store. */
    nameOf: (bucket: Bucket): string => names[bucket],

    list,

    /** Whether there is anything under a prefix, `besides` not counted. */
    async hasAny(bucket: Bucket, prefix: string, besides?: string): Promise<boolean> {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: names[bucket], Prefix: prefix, MaxKeys: 2 }),
      )
      return (page.Contents ?? []).some(({ Key }) => Key !== besides)
    },

    /** Whether there is an object under exactly this key. */
    async has(bucket: Bucket, key: string): Promise<boolean> {
      try {
        await client.send(new HeadObjectCommand({ Bucket: names[bucket], Key: key }))
        return true
      } catch (error) {
        if (error instanceof NotFound || error instanceof NoSuchKey) return false
        throw error
      }
    },

    /**
     * A small text with its ETag; null where the store says that there is none. Whatever else it says
     * (no such bucket, not allowed, not reachable) is thrown.
     */
    async readText(bucket: Bucket, key: string): Promise<{ text: string; etag: string } | null> {
      try {
        const answer = await client.send(new GetObjectCommand({ Bucket: names[bucket], Key: key }))
        return { text: (await answer.Body?.transformToString()) ?? '', etag: answer.ETag ?? '' }
      } catch (error) {
        if (error instanceof NoSuchKey) return null
        throw error
      }
    },

    /**
     * Writes a small text where there is none yet (`ifMatch: null`), or over the one with this ETag.
     * `false`: it has changed meanwhile.
     */
    async writeText(
      bucket: Bucket,
      key: string,
      text: string,
      ifMatch: string | null,
    ): Promise<boolean> {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: names[bucket],
            Key: key,
            Body: text,
            ContentType: 'application/json',
            ...(ifMatch === null ? { IfNoneMatch: '*' } : { IfMatch: ifMatch }),
          }),
        )
        return true
      } catch (error) {
        // 409: another conditional write of the same key is under way.
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : 0
        if (status === 412 || status === 409) return false
        throw error
      }
    },

    /**
     * Deletes objects; those that are gone already are no failure. One by one: DeleteObjects wants a
     * checksum header that local R2 and others spell differently.
     */
    async delete(_permit: DeletePermit, bucket: Bucket, keys: readonly string[]): Promise<void> {
      for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
        const some = keys.slice(at, at + DELETES_AT_ONCE)
        await Promise.all(
          some.map((key) =>
            client.send(new DeleteObjectCommand({ Bucket: names[bucket], Key: key })),
          ),
        )
      }
    },

    /** Gives up a multipart upload of an original; one that is gone already is no failure. */
    async abortOriginal(_permit: DeletePermit, key: string, multipartId: string): Promise<void> {
      await client
        .send(
          new AbortMultipartUploadCommand({
            Bucket: originalsBucket,
            Key: key,
            UploadId: multipartId,
          }),
        )
        .catch((error: unknown) => {
          if (!(error instanceof NoSuchUpload)) throw error
        })
    },

    close: () => client.destroy(),
  }
}
