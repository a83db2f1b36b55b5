import { AwsV4Signer } from 'aws4fetch'
import { Unavailable } from './unavailable.ts'

/** A call to S3 that takes longer than this is given up. */
const DEADLINE_MS = 10_000
/** Joining thousands of parts may take S3 longer. */
const COMPLETE_DEADLINE_MS = 60_000

export type StoredPart = { partNumber: number; etag: string; sizeBytes: number }

export type ObjectStoreOptions = {
  /** Path-style endpoint that the Worker calls. */
  endpoint: string
  /** Endpoint that presigned URLs name: what a browser can reach. */
  publicEndpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

/**
 * Speaks S3, path style, signature version 4. Every failure to reach it, and every 5xx, is
 * `Unavailable`.
 */
export function makeObjectStore(options: ObjectStoreOptions) {
  const { endpoint, publicEndpoint, region, accessKeyId, secretAccessKey } = options
  // Signing keys live for a day; deriving one is four HMACs.
  const cache = new Map<string, ArrayBuffer>()
  const credentials = { accessKeyId, secretAccessKey, region, service: 's3', cache }

  async function call(
    method: string,
    url: string,
    body?: string,
    deadlineMs = DEADLINE_MS,
    headers: Record<string, string> = {},
  ) {
    const signed = await new AwsV4Signer({
      ...credentials,
      method,
      url,
      headers,
      ...(body !== undefined && { body }),
    }).sign()
    let response: Response
    try {
      response = await fetch(signed.url, {
        method,
        headers: signed.headers,
        signal: AbortSignal.timeout(deadlineMs),
        ...(body !== undefined && { body }),
      })
    } catch (error) {
      throw new Unavailable('the object store did not answer', { cause: error })
    }
    if (response.status >= 500 && response.status !== 501) {
      await response.body?.cancel()
      throw new Unavailable(`the object store answered ${response.status}`)
    }
    return response
  }

  async function presign(
    url: string,
    headers: Record<string, string>,
    expiresS: number,
  ): Promise<string> {
    const expiring = new URL(url)
    expiring.searchParams.set('X-Amz-Expires', String(expiresS))
    // allHeaders, because aws4fetch leaves Content-Type and Content-Length unsigned by default.
    const signer = new AwsV4Signer({
      ...credentials,
      method: 'PUT',
      url: expiring.toString(),
      headers,
      signQuery: true,
      allHeaders: true,
    })
    return (await signer.sign()).url.toString()
  }

  return {
    /**
     * Presigns a PUT of exactly `sizeBytes` bytes, where there is no object yet, and answers with the
     * headers that are signed and must be sent as they are.
     */
    presignPut: async (
      bucket: string,
      key: string,
      {
        contentType,
        sizeBytes,
        expiresS,
      }: { contentType: string; sizeBytes: number; expiresS: number },
    ): Promise<{ url: string; headers: Record<string, string> }> => {
      // Once: the URL lives for an hour, and what was checked meanwhile must not be overwritten.
      const headers = { 'content-type': contentType, 'if-none-match': '*' }
      const url = await presign(
        at(publicEndpoint, bucket, key),
        { ...headers, 'content-length': String(sizeBytes) },
        expiresS,
      )
      return { url, headers }
    },

    /** Presigns one part of exactly `sizeBytes` bytes. */
    presignPart: (
      bucket: string,
      key: string,
      part: { multipartId: string; partNumber: number; sizeBytes: number; expiresS: number },
    ) =>
      presign(
        at(publicEndpoint, bucket, key, {
          partNumber: String(part.partNumber),
          uploadId: part.multipartId,
        }),
        { 'content-length': String(part.sizeBytes) },
        part.expiresS,
      ),

    /** Starts a multipart upload and answers with S3's id of it. */
    async startMultipart(bucket: string, key: string, contentType: string): Promise<string> {
      const url = at(endpoint, bucket, key, { uploads: '' })
      const signed = await new AwsV4Signer({
        ...credentials,
        method: 'POST',
        url,
        headers: { 'content-type': contentType },
        allHeaders: true,
      }).sign()
      let text: string
      try {
        const response = await fetch(signed.url, {
          method: 'POST',
          headers: signed.headers,
          signal: AbortSignal.timeout(DEADLINE_MS),
        })
        text = await response.text()
      } catch (error) {
        throw new Unavailable('the object store did not answer', { cause: error })
      }
      const id = tag(text, 'UploadId')
      if (id === null)
        throw new Unavailable(`the object store started no upload: ${text.slice(0, 200)}`)
      return id
    },

    /**
     * Lists the parts that are stored, as far as the store can tell; null when it knows no such
     * multipart upload.
     */
    async listParts(
      bucket: string,
      key: string,
      multipartId: string,
    ): Promise<StoredPart[] | null> {
      const parts: StoredPart[] = []
      for (let marker = '0'; ;) {
        const response = await call(
          'GET',
          at(endpoint, bucket, key, { uploadId: multipartId, 'part-number-marker': marker }),
        )
        const text = await response.text()
        if (response.status === 404) return null
        // Local R2 can't tell (ListParts is not implemented): nothing is known to be stored.
        if (response.status === 501) return []
        if (!response.ok) throw new Error(`ListParts: ${response.status} ${text.slice(0, 200)}`)
        for (const [, part = ''] of text.matchAll(/<Part>(.*?)<\/Part>/gs))
          parts.push({
            partNumber: Number(tag(part, 'PartNumber')),
            etag: tag(part, 'ETag') ?? '',
            sizeBytes: Number(tag(part, 'Size')),
          })
        const next = tag(text, 'NextPartNumberMarker')
        if (tag(text, 'IsTruncated') !== 'true' || next === null || next === marker) return parts
        marker = next
      }
    },

    /**
     * Joins the parts into the object. `false` when S3 refuses: a part is missing or has another
     * ETag, or the upload is unknown (or was joined before).
     */
    async completeMultipart(
      bucket: string,
      key: string,
      multipartId: string,
      parts: { partNumber: number; etag: string }[],
    ): Promise<boolean> {
      const body = `<CompleteMultipartUpload>${parts
        .map(
          ({ partNumber, etag }) =>
            `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
        )
        .join('')}</CompleteMultipartUpload>`
      const url = at(endpoint, bucket, key, { uploadId: multipartId })
      const join = (headers: Record<string, string>) =>
        call('POST', url, body, COMPLETE_DEADLINE_MS, headers)
      let response = await join({ 'if-none-match': '*' })
      if (response.status === 501) {
        // A store that has no conditional completion; the upload's id is used up by the first one.
        await response.body?.cancel()
        response = await join({})
      }
      const text = await response.text()
      // S3 may answer 200 and put the error into the body (CompleteMultipartUpload, "200 OK").
      return response.ok && !text.includes('<Error>')
    },

    /**
     * Forgets a multipart upload and its parts; none there is fine. The Worker deletes nothing else: it
     * can't check whose the bucket is on each request, so it leaves objects to the sweep.
     */
    async abortMultipart(bucket: string, key: string, multipartId: string): Promise<void> {
      const response = await call('DELETE', at(endpoint, bucket, key, { uploadId: multipartId }))
      await response.body?.cancel()
    },

    /** Size of an object in bytes and its ETag, or null when there is none. */
    async head(
      bucket: string,
      key: string,
    ): Promise<{ sizeBytes: number; etag: string | null } | null> {
      const response = await call('HEAD', at(endpoint, bucket, key))
      if (response.status === 404) return null
      if (!response.ok) throw new Error(`HeadObject: ${response.status}`)
      return {
        sizeBytes: Number(response.headers.get('content-length')),
        // A weak one can't be asked for again with If-Match.
        etag: response.headers.get('etag')?.replace(/^W\/.*/, '') || null,
      }
    },

    /** A whole object, or null when there is none. */
    async get(bucket: string, key: string): Promise<Response | null> {
      const response = await call('GET', at(endpoint, bucket, key))
      if (response.ok) return response
      await response.body?.cancel()
      if (response.status === 404) return null
      throw new Error(`GetObject: ${response.status}`)
    },
  }
}

export type ObjectStore = ReturnType<typeof makeObjectStore>

function at(base: string, bucket: string, key: string, query: Record<string, string> = {}): string {
  const url = new URL(`${base}/${bucket}/${key}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.toString()
}

/** The text of the first element of this name; S3's answers nest no equal names. */
function tag(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return found === undefined ? null : unescapeXml(found)
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char)
}

function unescapeXml(text: string): string {
  return text.replace(
    /&(amp|lt|gt|quot|#34|#39);/g,
    (entity, name: string) =>
      ({ amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'" })[name] ?? entity,
  )
}
