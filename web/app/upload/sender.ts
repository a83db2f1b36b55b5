import type { MultipartTicket, UploadTicket } from '../lib/api-types.ts'
import type { UploadCalls } from './upload-calls.ts'

/** Parts of one file sent at the same time. */
const PARALLEL_PARTS = 3
/** Tries of a file or part before the upload fails. */
const TRIES = 5
const FIRST_PAUSE_MS = 1000

/** Why sending failed. `expired`: the presigned URL; `lost`: the connection or the store; `refused`: for good. */
export class SendError extends Error {
  readonly kind: 'expired' | 'lost' | 'refused'

  constructor(kind: 'expired' | 'lost' | 'refused', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Sends bytes to a presigned URL; resolves with the ETag, if CORS lets us read it. */
export type Put = (request: {
  url: string
  headers: Readonly<Record<string, string>>
  body: Blob
  onProgress: (sentBytes: number) => void
  signal: AbortSignal
}) => Promise<string | null>

export type UploadRequest = {
  file: Blob & { name: string }
  /** The earlier upload to continue, if any. */
  uploadId: string | null
  signal: AbortSignal
  onCreated: (ids: { uploadId: string; jobId: string }) => void
  onSent: (sentBytes: number) => void
  onStored: () => void
}

export type SenderParts = {
  api: UploadCalls
  put: Put
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

function partsSize({ parts }: MultipartTicket): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** Makes the sender, which uploads one file to the store and then completes the upload at the API. */
export function makeSender({ api, put, wait }: SenderParts) {
  /**
   * Continues an earlier upload if it has parts and the same size, else creates a new one. A single
   * PUT would start from its first byte anyway.
   */
  async function ticketFor({ file, uploadId, signal }: UploadRequest): Promise<UploadTicket> {
    if (uploadId !== null) {
      const earlier = await api.resumeUpload(uploadId, { signal }).catch(() => null)
      signal.throwIfAborted()
      if (earlier?.method === 'MULTIPART' && partsSize(earlier) === file.size) return earlier
    }
    return api.startUpload(
      { filename: file.name, sizeBytes: file.size, contentType: file.type },
      { signal },
    )
  }

  /** Retries with longer and longer pauses; only `lost` is worth retrying. */
  async function withRetries<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof SendError) || error.kind !== 'lost' || tries >= TRIES) throw error
        await wait(FIRST_PAUSE_MS * 2 ** (tries - 1), signal)
      }
    }
  }

  async function sendWhole(
    ticket: Extract<UploadTicket, { method: 'PUT' }>,
    { file, signal, onSent }: UploadRequest,
  ): Promise<void> {
    let { url, headers } = ticket
    const attempt = () => put({ url, headers, body: file, onProgress: onSent, signal })
    try {
      await withRetries(signal, attempt)
    } catch (error) {
      if (!(error instanceof SendError) || error.kind !== 'expired') throw error
      const fresh = await api.resumeUpload(ticket.uploadId, { signal })
      if (fresh.method !== 'PUT') throw error
      ;({ url, headers } = fresh)
      await withRetries(signal, attempt)
    }
  }

  async function sendParts(
    first: MultipartTicket,
    { file, signal, onSent }: UploadRequest,
  ): Promise<{ partNumber: number; etag: string }[]> {
    let ticket = first
    let refreshing: Promise<void> | null = null
    const sent = new Map<number, number>()
    const etags = new Map<number, string | null>()
    const report = () => onSent([...sent.values()].reduce((sum, bytes) => sum + bytes, 0))
    const partOf = (partNumber: number) =>
      ticket.parts.find((part) => part.partNumber === partNumber)

    async function freshParts(): Promise<void> {
      const fresh = await api.resumeUpload(ticket.uploadId, { signal })
      if (fresh.method === 'MULTIPART') ticket = fresh
    }

    /** The URLs of all parts expire together, so one request renews them all. */
    function refresh(): Promise<void> {
      refreshing ??= freshParts().finally(() => {
        refreshing = null
      })
      return refreshing
    }

    async function sendPart(partNumber: number): Promise<void> {
      const start = (partNumber - 1) * first.partSizeBytes
      for (let fresh = 0; ; fresh++) {
        const part = partOf(partNumber)
        if (!part) throw new SendError('refused', 'The upload no longer has this part.')
        try {
          const etag = await withRetries(signal, () =>
            put({
              url: part.url,
              headers: {},
              body: file.slice(start, start + part.sizeBytes),
              onProgress: (bytes) => {
                sent.set(partNumber, bytes)
                report()
              },
              signal,
            }),
          )
          etags.set(partNumber, etag)
          sent.set(partNumber, part.sizeBytes)
          report()
          return
        } catch (error) {
          if (!(error instanceof SendError) || error.kind !== 'expired' || fresh > 0) throw error
          await refresh()
        }
      }
    }

    const missing: number[] = []
    for (const { partNumber, sizeBytes, etag } of first.parts) {
      if (etag === undefined) missing.push(partNumber)
      else {
        etags.set(partNumber, etag)
        sent.set(partNumber, sizeBytes)
      }
    }
    report()
    const queue = missing.values()
    await Promise.all(
      Array.from({ length: PARALLEL_PARTS }, async () => {
        for (const partNumber of queue) await sendPart(partNumber)
      }),
    )
    // If CORS hides the ETags, the API knows them.
    if ([...etags.values()].includes(null)) await refresh()
    return first.parts.map(({ partNumber }) => {
      const etag = etags.get(partNumber) ?? partOf(partNumber)?.etag
      if (!etag) throw new SendError('lost', 'A part of the file is missing.')
      return { partNumber, etag }
    })
  }

  return {
    /** Uploads the file and queues its job. @throws SendError, ApiRefusal, or the abort's reason */
    async send(request: UploadRequest): Promise<void> {
      const { signal, onCreated, onStored } = request
      const ticket = await ticketFor(request)
      onCreated({ uploadId: ticket.uploadId, jobId: ticket.jobId })
      const parts = ticket.method === 'PUT' ? null : await sendParts(ticket, request)
      if (ticket.method === 'PUT') await sendWhole(ticket, request)
      onStored()
      await api.completeUpload(ticket.uploadId, parts, { signal })
    },
  }
}
