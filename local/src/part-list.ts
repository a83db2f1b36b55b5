import type { IncomingMessage } from 'node:http'

type Part = { etag: string; sizeBytes: number }

/** Multipart uploads that are remembered; the oldest are forgotten. */
const UPLOADS_KEPT = 200

/**
 * Answers S3's ListParts, which local R2 does not implement, from the parts that went by. It
 * remembers them for as long as this process lives, and checks no signature: whoever knows an upload's id
 * has started it.
 */
export function makePartList() {
  const uploads = new Map<string, Map<number, Part>>()

  return {
    /** Remembers a part that the store has taken. */
    observe(request: IncomingMessage, answer: IncomingMessage): void {
      if (request.method !== 'PUT' || answer.statusCode !== 200) return
      const { key, number } = paramsOf(request.url)
      const etag = answer.headers.etag
      if (key === null || number === null || etag === undefined) return
      const parts = uploads.get(key) ?? new Map<number, Part>()
      uploads.set(key, parts)
      parts.set(Number(number), { etag, sizeBytes: Number(request.headers['content-length']) })
      for (const oldest of uploads.keys()) {
        if (uploads.size <= UPLOADS_KEPT) break
        uploads.delete(oldest)
      }
    },

    /** The answer to a ListParts of an upload of which parts went by; else null. */
    answer(request: IncomingMessage): string | null {
      if (request.method !== 'GET') return null
      const { key } = paramsOf(request.url)
      const parts = key === null ? undefined : uploads.get(key)
      if (!parts) return null
      const listed = [...parts]
        .sort(([a], [b]) => a - b)
        .map(
          ([number, { etag, sizeBytes }]) =>
            `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag><Size>${sizeBytes}</Size></Part>`,
        )
        .join('')
      return `<?xml version="1.0" encoding="UTF-8"?><ListPartsResult><IsTruncated>false</IsTruncated>${listed}</ListPartsResult>`
    },
  }
}

function paramsOf(url: string | undefined) {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://localhost')
  const id = searchParams.get('uploadId')
  return { key: id === null ? null : `${pathname} ${id}`, number: searchParams.get('partNumber') }
}
