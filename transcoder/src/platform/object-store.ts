import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NoSuchUpload,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'

/** What is stored under a version's prefix never changes: a new version has a new prefix. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** A request that has not been answered by then has failed. */
const REQUEST_TIMEOUT_MS = 30_000

/** Deletes in flight at once. */
const DELETES_AT_ONCE = 16

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

  async function* list(bucket: string, prefix: string): AsyncGenerator<StoredObject> {
    let token: string | undefined
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      )
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) {
          yield { key: Key, sizeBytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) }
        }
      }
      token = page.NextContinuationToken
    } while (token !== undefined)
  }

  /** One by one: DeleteObjects wants a checksum header that local R2 and others spell differently. */
  async function deleteAll(bucket: string, keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
      const some = keys.slice(at, at + DELETES_AT_ONCE)
      await Promise.all(
        some.map((key) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))),
      )
    }
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
          CacheControl: IMMUTABLE,
        }),
        signal === undefined ? {} : { abortSignal: signal },
      )
    },

    /**
     * Streams an original into a local file, never more than `maxBytes`.
     *
     * @returns its size in bytes, or null where there is no such object
     */
    async downloadOriginal(
      key: string,
      file: string,
      maxBytes: number,
      signal: AbortSignal,
    ): Promise<number | null> {
      const answer = await client
        .send(new GetObjectCommand({ Bucket: originalsBucket, Key: key }), { abortSignal: signal })
        .catch((error: unknown) => {
          if (error instanceof NoSuchKey || error instanceof NotFound) return null
          throw error
        })
      if (answer === null || !(answer.Body instanceof Readable)) return null
      const size = answer.ContentLength ?? 0
      if (size > maxBytes) {
        answer.Body.destroy()
        return size
      }
      await pipeline(answer.Body, createWriteStream(file, { mode: 0o600 }), { signal })
      return size
    },

    listMedia: (prefix: string) => list(mediaBucket, prefix),
    listOriginals: (prefix: string) => list(originalsBucket, prefix),
    deleteMedia: (keys: readonly string[]) => deleteAll(mediaBucket, keys),
    deleteOriginals: (keys: readonly string[]) => deleteAll(originalsBucket, keys),

    /** Gives up a multipart upload of an original; one that is gone already is no failure. */
    async abortOriginal(key: string, multipartId: string): Promise<void> {
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
