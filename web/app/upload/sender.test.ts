import { expect, test } from 'vitest'
import { ApiRefusal, problemOf } from '../lib/problem.ts'
import type { UploadTicket } from '../lib/api-types.ts'
import { makeSender, SendError } from './sender.ts'
import type { Put } from './sender.ts'

const FILE = Object.assign(new Blob(['0123456789'], { type: 'audio/flac' }), { name: 'a.flac' })
const IDS = {
  uploadId: 'u' as UploadTicket['uploadId'],
  jobId: 'j' as UploadTicket['jobId'],
  expiresAt: '2026-01-01T00:00:00Z',
}

function whole(url: string): UploadTicket {
  return { ...IDS, method: 'PUT', url, headers: { 'content-type': 'audio/flac' } }
}

/** Ten bytes in parts of four. */
function inParts(generation: number, stored: Record<number, string> = {}): UploadTicket {
  return {
    ...IDS,
    method: 'MULTIPART',
    partSizeBytes: 4,
    parts: [4, 4, 2].map((sizeBytes, index) => ({
      partNumber: index + 1,
      url: `part-${index + 1}-v${generation}`,
      sizeBytes,
      ...(stored[index + 1] === undefined ? {} : { etag: stored[index + 1] }),
    })),
  }
}

type Script = {
  started?: UploadTicket
  resumed?: UploadTicket[]
  /** What the store does with each URL, in order; after that it takes everything. */
  store?: Record<string, (SendError | null)[]>
  uploadId?: string
}

async function sending({ started, resumed = [], store = {}, uploadId }: Script) {
  const puts: { url: string; text: string }[] = []
  const waits: number[] = []
  const completed: unknown[] = []
  const progress: number[] = []
  const asked: string[] = []
  const put: Put = async ({ url, body, onProgress }) => {
    puts.push({ url, text: await body.text() })
    const trouble = store[url]?.shift()
    if (trouble) throw trouble
    onProgress(body.size)
    return `etag-${url}`
  }
  const sender = makeSender({
    put,
    wait: async (ms) => {
      waits.push(ms)
    },
    api: {
      startUpload: async () => {
        asked.push('start')
        if (!started) throw new ApiRefusal(problemOf(415, { detail: 'Not audio.' }, null, 0))
        return started
      },
      resumeUpload: async () => {
        asked.push('resume')
        const ticket = resumed.shift()
        if (!ticket) throw new ApiRefusal(problemOf(404, null, null, 0))
        return ticket
      },
      completeUpload: async (_id, parts) => {
        completed.push(parts)
        return { jobId: IDS.jobId, status: 'queued' as const }
      },
    },
  })
  const outcome = await sender
    .send({
      file: FILE,
      uploadId: uploadId ?? null,
      signal: new AbortController().signal,
      onCreated: () => {},
      onSent: (bytes) => progress.push(bytes),
      onStored: () => {},
    })
    .then(() => 'sent' as const)
    .catch((error: unknown) => error)
  return { outcome, puts, waits, completed, progress, asked }
}

const lost = () => new SendError('lost', 'The connection was lost.')
const expired = () => new SendError('expired', 'Too old.')

test('a small file is sent whole, and its upload completed', async () => {
  const { outcome, puts, completed } = await sending({ started: whole('one') })
  expect(outcome).toBe('sent')
  expect(puts).toEqual([{ url: 'one', text: '0123456789' }])
  expect(completed).toEqual([null])
})

test('a lost connection is tried again with longer and longer pauses', async () => {
  const { outcome, waits } = await sending({
    started: whole('one'),
    store: { one: [lost(), lost(), lost()] },
  })
  expect(outcome).toBe('sent')
  expect(waits).toEqual([1000, 2000, 4000])
})

test('a connection that stays lost fails after five tries', async () => {
  const { outcome, puts, completed } = await sending({
    started: whole('one'),
    store: { one: Array.from({ length: 9 }, lost) },
  })
  expect(outcome).toBeInstanceOf(SendError)
  expect(puts).toHaveLength(5)
  expect(completed).toEqual([])
})

test('an expired URL is replaced by a new one', async () => {
  const { outcome, puts } = await sending({
    started: whole('old'),
    resumed: [whole('fresh')],
    store: { old: [expired()] },
  })
  expect(outcome).toBe('sent')
  expect(puts.map(({ url }) => url)).toEqual(['old', 'fresh'])
})

test('a large file is sent in parts, each with its own bytes', async () => {
  const { outcome, puts, completed, progress } = await sending({ started: inParts(1) })
  expect(outcome).toBe('sent')
  expect(puts.map(({ text }) => text).toSorted()).toEqual(['0123', '4567', '89'])
  expect(completed).toEqual([
    [1, 2, 3].map((partNumber) => ({ partNumber, etag: `etag-part-${partNumber}-v1` })),
  ])
  expect(progress.at(-1)).toBe(10)
})

test('continuing sends only the missing parts', async () => {
  const { outcome, puts, completed, asked, progress } = await sending({
    uploadId: 'u',
    resumed: [inParts(2, { 1: 'have-1', 3: 'have-3' })],
  })
  expect(outcome).toBe('sent')
  expect(asked).toEqual(['resume'])
  expect(puts).toEqual([{ url: 'part-2-v2', text: '4567' }])
  expect(progress[0]).toBe(6)
  expect(completed).toEqual([
    [
      { partNumber: 1, etag: 'have-1' },
      { partNumber: 2, etag: 'etag-part-2-v2' },
      { partNumber: 3, etag: 'have-3' },
    ],
  ])
})

test('parts with expired URLs get new ones in one request', async () => {
  const { outcome, asked, puts } = await sending({
    started: inParts(1),
    resumed: [inParts(2), inParts(3)],
    store: { 'part-1-v1': [expired()], 'part-2-v1': [expired()], 'part-3-v1': [expired()] },
  })
  expect(outcome).toBe('sent')
  expect(asked).toEqual(['start', 'resume'])
  expect(puts.filter(({ url }) => url.endsWith('v2'))).toHaveLength(3)
})

test('an earlier upload of another size is not continued', async () => {
  const other = inParts(1)
  if (other.method === 'MULTIPART') other.parts.pop()
  const { asked } = await sending({ uploadId: 'u', resumed: [other], started: whole('one') })
  expect(asked).toEqual(['resume', 'start'])
})

test('an upload that no longer exists is created again', async () => {
  const { outcome, asked } = await sending({ uploadId: 'u', started: whole('one') })
  expect(outcome).toBe('sent')
  expect(asked).toEqual(['resume', 'start'])
})

test('what the API refuses is not sent', async () => {
  const { outcome, puts } = await sending({})
  expect(outcome).toBeInstanceOf(ApiRefusal)
  expect(puts).toEqual([])
})
