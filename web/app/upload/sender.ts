import type { Api } from '../lib/api.ts'
import type { MultipartTicket, UploadTicket } from '../lib/api-types.ts'

/** Parts of one file sent at the same time. */
const PARALLEL_PARTS = 3
/** A file or part is tried so often before the person is asked. */
const TRIES = 5
const FIRST_PAUSE_MS = 1000

/** Why bytes did not arrive. `expired`: the URL is too old; `lost`: the line, or the store's own trouble. */
export class SendError extends Error {
  readonly kind: 'expired' | 'lost' | 'refused'

  constructor(kind: 'expired' | 'lost' | 'refused', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Sends bytes to a presigned URL; answers with the ETag where the store lets us read it. */
export type Put = (request: {
  url: string
  headers: Readonly<Record<string, string>>
  body: Blob
  onProgress: (sentBytes: number) => void
  signal: AbortSignal
}) => Promise<string | null>

export type Sending = {
  file: Blob & { name: string }
  /** The earlier try to go on with, if any. */
  uploadId: string | null
  signal: AbortSignal
  onAnnounced: (ids: { uploadId: string; jobId: string }) => void
  onSent: (sentBytes: number) => void
  onStored: () => void
}

export type SenderParts = {
  api: Pick<Api, 'startUpload' | 'resumeUpload' | 'completeUpload'>
  put: Put
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

function partsSize({ parts }: MultipartTicket): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** Makes what brings one file to the store and tells the API that it is there. */
export function makeSender({ api, put, wait }: SenderParts) {
  /**
   * Goes on with an earlier upload if it is in parts and of this very size, else announces a new
   * one. A single PUT starts from its first byte anyway.
   */
  async function ticketFor({ file, uploadId, signal }: Sending): Promise<UploadTicket> {
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

  /** Tries until it works, with longer and longer pauses; an expired URL is not waited for. */
  async function insist<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
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
    { file, signal, onSent }: Sending,
  ): Promise<void> {
    let { url, headers } = ticket
    const attempt = () => put({ url, headers, body: file, onProgress: onSent, signal })
    try {
      await insist(signal, attempt)
    } catch (error) {
      if (!(error instanceof SendError) || error.kind !== 'expired') throw error
      const fresh = await api.resumeUpload(ticket.uploadId, { signal })
      if (fresh.method !== 'PUT') throw error
      ;({ url, headers } = fresh)
      await insist(signal, attempt)
    }
  }

  async function sendParts(
    first: MultipartTicket,
    { file, signal, onSent }: Sending,
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

    /** Parts expire together, so one answer serves them all. */
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
          const etag = await insist(signal, () =>
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
    const line = missing.values()
    await Promise.all(
      Array.from({ length: PARALLEL_PARTS }, async () => {
        for (const partNumber of line) await sendPart(partNumber)
      }),
    )
    // Where the store does not show its ETags to pages, the API knows them.
    if ([...etags.values()].includes(null)) await refresh()
    return first.parts.map(({ partNumber }) => {
      const etag = etags.get(partNumber) ?? partOf(partNumber)?.etag
      if (!etag) throw new SendError('lost', 'A part of the file is missing.')
      return { partNumber, etag }
    })
  }

  return {
    /** Brings the file there and queues its job. @throws SendError, ApiRefusal, or the abort's reason */
    async send(sending: Sending): Promise<void> {
      const { signal, onAnnounced, onStored } = sending
      const ticket = await ticketFor(sending)
      onAnnounced({ uploadId: ticket.uploadId, jobId: ticket.jobId })
      const parts = ticket.method === 'PUT' ? null : await sendParts(ticket, sending)
      if (ticket.method === 'PUT') await sendWhole(ticket, sending)
      onStored()
      await api.completeUpload(ticket.uploadId, parts, { signal })
    },
  }
}
