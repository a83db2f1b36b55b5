import {
  AUDIO_TYPES,
  cleanText,
  JobId,
  newId,
  originalKey,
  TrackId,
  UPLOAD_EXPIRES_S,
  UploadId,
} from '@mist/db/contract'
import type { AdminActor } from '@mist/db/statements'
import type { NewUpload, UploadCompletion, UploadTicket } from '../contract/uploads.ts'
import type { Clock } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { Problem } from '../problem.ts'
import type { UploadRepo, UploadRow } from '../repos/upload-repo.ts'

/** An upload in parts may be picked up again for a day; its URLs live for an hour at a time. */
const MULTIPART_EXPIRES_S = 24 * 3600

/** S3 takes no more parts than this. */
const MAX_PARTS = 10_000

export type UploadLimits = {
  maxBytes: number
  singlePartLimitBytes: number
  partSizeBytes: number
}

/**
 * Decides which content type a file is stored with, by its own declaration where that is of a kind
 * we take, else by its extension; null where it looks like nothing we could play.
 */
export function audioType(filename: string, contentType: string): string | null {
  const extension = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? ''
  const byExtension: Record<string, readonly string[]> = AUDIO_TYPES
  const declared = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (Object.values(byExtension).some((types) => types.includes(declared))) return declared
  const wanted = Object.hasOwn(byExtension, extension) ? byExtension[extension]?.[0] : undefined
  return wanted === undefined ? null : declared || wanted
}

/** A title made of a file's name: without folders and extension, in a length that fits. */
export function titleFrom(filename: string): string {
  const base = filename.split(/[/\\]/).at(-1) ?? ''
  return cleanText(base.replace(/\.[A-Za-z0-9]{1,5}$/, '').replaceAll('_', ' ')) || 'Untitled'
}

/** Sizes of the parts of a file, bytes: all alike but the last. */
export function partSizes(sizeBytes: number, partSizeBytes: number): number[] {
  const count = Math.ceil(sizeBytes / partSizeBytes)
  return Array.from({ length: count }, (_, index) =>
    Math.min(partSizeBytes, sizeBytes - index * partSizeBytes),
  )
}

/** Uploads: the bytes go from the browser straight to S3, never through here. */
export function makeUploadService({
  uploads,
  store,
  bucket,
  limits,
  clock,
}: {
  uploads: UploadRepo
  store: ObjectStore
  bucket: string
  limits: UploadLimits
  clock: Clock
}) {
  /** Signs the URLs of an upload; they live for an hour from now. */
  async function ticket(upload: {
    id: UploadId
    jobId: JobId
    objectKey: string
    sizeBytes: number
    contentType: string
    multipartId: string | null
    partSizeBytes: number | null
    stored: Map<number, string>
  }): Promise<UploadTicket> {
    const { objectKey, sizeBytes, contentType, multipartId, partSizeBytes, stored } = upload
    const base = {
      uploadId: upload.id,
      jobId: upload.jobId,
      expiresAt: new Date(clock().getTime() + UPLOAD_EXPIRES_S * 1000).toISOString(),
    }
    if (multipartId === null || partSizeBytes === null)
      return {
        ...base,
        method: 'PUT',
        ...(await store.presignPut(bucket, objectKey, {
          contentType,
          sizeBytes,
          expiresS: UPLOAD_EXPIRES_S,
        })),
      }
    return {
      ...base,
      method: 'MULTIPART',
      partSizeBytes,
      parts: await Promise.all(
        partSizes(sizeBytes, partSizeBytes).map(async (size, index) => {
          const partNumber = index + 1
          const etag = stored.get(partNumber)
          return {
            partNumber,
            sizeBytes: size,
            url: await store.presignPart(bucket, objectKey, {
              multipartId,
              partNumber,
              sizeBytes: size,
              expiresS: UPLOAD_EXPIRES_S,
            }),
            ...(etag !== undefined && { etag }),
          }
        }),
      ),
    }
  }

  async function find(uploadId: UploadId): Promise<UploadRow> {
    const upload = await uploads.find(uploadId)
    if (!upload) throw new Problem('not-found', 'There is no such upload.')
    return upload
  }

  /** Refuses what can't be a track, and says what is accepted. */
  function accept(file: NewUpload): string {
    if (file.sizeBytes === 0)
      throw new Problem('validation-failed', 'The file is empty. Choose another one.', {
        errors: [{ path: 'sizeBytes', message: 'A file has at least one byte.' }],
      })
    if (file.sizeBytes > limits.maxBytes)
      throw new Problem(
        'upload-too-large',
        `The file has ${megabytes(file.sizeBytes)}, and ${megabytes(limits.maxBytes)} are allowed. Send it as FLAC, or in parts.`,
      )
    const contentType = audioType(file.filename, file.contentType)
    if (contentType === null)
      throw new Problem(
        'unsupported-type',
        `Send one of these: ${Object.keys(AUDIO_TYPES).join(', ')}.`,
      )
    return contentType
  }

  return {
    /** Announces a file; answers with where to send its bytes. */
    async create(
      file: NewUpload,
      by: AdminActor,
      replaces: TrackId | null = null,
    ): Promise<UploadTicket> {
      const contentType = accept(file)
      const now = clock()
      const uploadId = newId(UploadId, now.getTime())
      const jobId = newId(JobId, now.getTime())
      const objectKey = originalKey(uploadId)
      const isMultipart = file.sizeBytes > limits.singlePartLimitBytes
      const partSizeBytes = Math.max(limits.partSizeBytes, Math.ceil(file.sizeBytes / MAX_PARTS))
      const multipart = isMultipart
        ? { id: await store.startMultipart(bucket, objectKey, contentType), partSizeBytes }
        : null
      const isInserted = await uploads.insert({
        uploadId,
        jobId,
        trackId: replaces ?? newId(TrackId, now.getTime()),
        kind: replaces === null ? 'ingest' : 'replace',
        by,
        file: { ...file, contentType },
        objectKey,
        multipart,
        now,
        expiresAt: new Date(
          now.getTime() + (isMultipart ? MULTIPART_EXPIRES_S : UPLOAD_EXPIRES_S) * 1000,
        ),
      })
      if (!isInserted) {
        // Begun a moment ago, and still empty.
        if (multipart !== null) await store.abortMultipart(bucket, objectKey, multipart.id)
        throw new Problem('not-found', 'There is no such track to replace.')
      }
      return ticket({
        id: uploadId,
        jobId,
        objectKey,
        sizeBytes: file.sizeBytes,
        contentType,
        multipartId: multipart?.id ?? null,
        partSizeBytes: multipart?.partSizeBytes ?? null,
        stored: new Map(),
      })
    },

    /** Fresh URLs of an upload that goes on, and which of its parts are stored. */
    async resume(uploadId: UploadId): Promise<UploadTicket> {
      const upload = await find(uploadId)
      if (upload.completedAt !== null || upload.jobStatus !== 'pending_upload')
        throw new Problem('upload-incomplete', 'This upload has ended. Start a new one.')
      const { multipartId } = upload
      const parts =
        multipartId === null ? [] : await store.listParts(bucket, upload.objectKey, multipartId)
      if (parts === null)
        throw new Problem('upload-incomplete', 'The stored parts are gone. Start a new upload.')
      const lifeS = multipartId === null ? UPLOAD_EXPIRES_S : MULTIPART_EXPIRES_S
      await uploads.extend(uploadId, new Date(clock().getTime() + lifeS * 1000))
      return ticket({
        ...upload,
        stored: new Map(parts.map(({ partNumber, etag }) => [partNumber, etag])),
      })
    },

    /**
     * Completes an upload: joins the parts, checks that the object is there in its full size, pins its
     * ETag, and queues the job. The same again, even at the same time, is the same answer.
     */
    async complete(
      uploadId: UploadId,
      { parts }: UploadCompletion,
      by: AdminActor,
    ): Promise<{ jobId: JobId; status: 'queued' }> {
      const upload = await find(uploadId)
      const answer = { jobId: upload.jobId, status: 'queued' } as const
      if (upload.completedAt !== null) return answer
      if (upload.jobStatus !== 'pending_upload')
        throw new Problem('upload-incomplete', 'The file did not arrive in time. Upload it again.')

      if (upload.multipartId !== null) {
        const stored =
          parts ?? (await store.listParts(bucket, upload.objectKey, upload.multipartId))
        if (stored && stored.length > 0) {
          const ordered = [...stored].sort((a, b) => a.partNumber - b.partNumber)
          // A refusal decides nothing: the same request, sent twice, may have joined them just now.
          await store.completeMultipart(bucket, upload.objectKey, upload.multipartId, ordered)
        }
      }
      const object = await store.head(bucket, upload.objectKey)
      if (!object)
        throw new Problem(
          'upload-incomplete',
          'The file is not there yet. Send its bytes to the URL that the upload named, then try again.',
        )
      if (object.sizeBytes !== upload.sizeBytes)
        throw new Problem(
          'upload-incomplete',
          `${object.sizeBytes} bytes arrived where ${upload.sizeBytes} were announced. Upload the file again.`,
        )
      const { etag } = object
      if (await uploads.complete(upload, titleFrom(upload.filename), etag, by, clock()))
        return answer
      // The same request, sent twice, was faster; or the upload has just expired.
      if ((await find(uploadId)).completedAt !== null) return answer
      throw new Problem('upload-incomplete', 'The file did not arrive in time. Upload it again.')
    },

    /**
     * Expires uploads that were not completed in time; answers with how many. Nothing is deleted here: the
     * transcoder's sweep does that, where the buckets are known to be this installation's.
     */
    expire: (limit: number): Promise<number> => uploads.expire(clock(), limit),
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`
}
