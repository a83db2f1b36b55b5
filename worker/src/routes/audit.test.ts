import { makeTrack } from '@mist/db/testing/factories'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { UploadTicket } from '../contract/uploads.ts'
import { makeTestApi } from '../testing/api.ts'
import { EXPECTATIONS } from '../testing/expectations.ts'

const api = makeTestApi()
type SignedIn = Awaited<ReturnType<typeof api.signIn>>
/** Prepares what the tests need. */
let assistant: SignedIn
beforeAll(async () => {
  assistant = await api.signIn({ role: 'admin' })
})
/** Does what is tried, and nothing else. */
let admin: SignedIn
beforeEach(async () => {
  admin = await api.signIn({ role: 'admin' })
})

const FILE = { filename: 'A song.mp3', sizeBytes: 6, contentType: 'audio/mpeg' }
const NOWHERE = '019a0000-0000-7000-8000-00000000dead'

const ask = (method: string, path: string, body?: unknown, { token: bearer } = admin) =>
  api.call(method, path, { ...(body !== undefined && { body }), bearer })

/** Announces a file; with `isSent`, sends its bytes, too. */
async function upload({ isSent = false } = {}): Promise<UploadTicket> {
  const ticket = await (await ask('POST', 'uploads', FILE, assistant)).json<UploadTicket>()
  if (isSent && ticket.method === 'PUT')
    await fetch(ticket.url, { method: 'PUT', headers: ticket.headers, body: 'sounds' })
  return ticket
}

async function failedJob(): Promise<{ jobId: string }> {
  const { uploadId, jobId } = await upload({ isSent: true })
  await ask('POST', `uploads/${uploadId}/complete`, {}, assistant)
  await api.db.$client`update jobs set status = 'failed' where id = ${jobId}`
  return { jobId }
}

type Case = {
  /** What is done, and what is refused in the same way. */
  done: () => Promise<{ response: Response; action: string; target: string; id: string | null }>
  refused: () => Promise<Response>
}

/** Each thing that an admin can change. */
const CASES: Record<string, Case> = {
  'POST /api/v1/uploads': {
    async done() {
      const response = await ask('POST', 'uploads', FILE)
      const { uploadId: id } = await response.clone().json<UploadTicket>()
      return { response, action: 'upload.create', target: 'upload', id }
    },
    refused: () => ask('POST', 'uploads', { ...FILE, sizeBytes: 0 }),
  },
  'POST /api/v1/uploads/{uploadId}/complete': {
    async done() {
      const { uploadId: id } = await upload({ isSent: true })
      const response = await ask('POST', `uploads/${id}/complete`, {})
      // The same again is the same answer, and nothing that was done.
      await ask('POST', `uploads/${id}/complete`, {})
      return { response, action: 'upload.complete', target: 'upload', id }
    },
    async refused() {
      const { uploadId } = await upload()
      return ask('POST', `uploads/${uploadId}/complete`, {})
    },
  },
  'PATCH /api/v1/tracks/{id}': {
    async done() {
      const { trackId: id } = await makeTrack(api.db)
      const response = await ask('PATCH', `tracks/${id}`, { title: 'New', artists: ['One', 'Two'] })
      return { response, action: 'track.update', target: 'track', id }
    },
    refused: () => ask('PATCH', `tracks/${NOWHERE}`, { title: 'New' }),
  },
  'PUT /api/v1/tracks/{id}/lyrics': {
    async done() {
      const { trackId: id } = await makeTrack(api.db)
      const response = await ask('PUT', `tracks/${id}/lyrics`, { text: 'La la' })
      return { response, action: 'track.lyrics', target: 'track', id }
    },
    refused: () => ask('PUT', `tracks/${NOWHERE}/lyrics`, { text: 'La la' }),
  },
  'DELETE /api/v1/tracks/{id}': {
    async done() {
      const { trackId: id } = await makeTrack(api.db)
      const response = await ask('DELETE', `tracks/${id}`)
      await ask('DELETE', `tracks/${id}`)
      return { response, action: 'track.delete', target: 'track', id }
    },
    refused: () => ask('DELETE', `tracks/${NOWHERE}`),
  },
  'POST /api/v1/tracks/{id}/replace': {
    async done() {
      const { trackId: id } = await makeTrack(api.db)
      const response = await ask('POST', `tracks/${id}/replace`, FILE)
      return { response, action: 'track.replace', target: 'track', id }
    },
    refused: () => ask('POST', `tracks/${NOWHERE}/replace`, FILE),
  },
  'POST /api/v1/jobs/{jobId}/retry': {
    async done() {
      const { jobId: id } = await failedJob()
      return {
        response: await ask('POST', `jobs/${id}/retry`),
        action: 'job.retry',
        target: 'job',
        id,
      }
    },
    async refused() {
      const { jobId } = await failedJob()
      await api.db.$client`update jobs set status = 'completed' where id = ${jobId}`
      return ask('POST', `jobs/${jobId}/retry`)
    },
  },
  'POST /api/v1/admin/retranscode': {
    async done() {
      await api.db.$client`delete from remakes`
      const response = await ask('POST', 'admin/retranscode')
      // The same again begins nothing.
      await ask('POST', 'admin/retranscode')
      return {
        response,
        action: 'remake.start',
        target: 'installation',
        id: null,
      }
    },
    async refused() {
      return ask('POST', 'admin/retranscode', undefined, await api.signIn())
    },
  },
}

test('each route by which an admin changes something is tried here', () => {
  const changing = Object.entries(EXPECTATIONS).flatMap(([route, { listener }]) =>
    listener === 'forbidden' && !route.startsWith('GET ') ? [route] : [],
  )
  expect(Object.keys(CASES).sort()).toEqual(changing.sort())
})

test.each(Object.entries(CASES))(
  '%s writes one row of the audit log, with who asked and in which request',
  async (_, { done }) => {
    const { response, action, target, id } = await done()
    expect(response.ok).toBe(true)
    const rows = await api.db.$client`select * from audit_log where actor_id = ${admin.userId}`
    expect(rows).toEqual([
      expect.objectContaining({
        action,
        target_type: target,
        target_id: id,
        command: null,
        request_id: response.headers.get('x-request-id'),
      }),
    ])
  },
)

test.each(Object.entries(CASES))('%s writes none where it is refused', async (_, { refused }) => {
  const response = await refused()
  expect(response.status).toBeGreaterThanOrEqual(400)
  const requestId = response.headers.get('x-request-id')
  expect(requestId).not.toBeNull()
  expect(
    await api.db.$client`
      select action from audit_log where request_id = ${requestId} or actor_id = ${admin.userId}`,
  ).toEqual([])
})

test('the log tells what was asked for and how much it was', async () => {
  await CASES['PATCH /api/v1/tracks/{id}']!.done()
  await CASES['POST /api/v1/admin/retranscode']!.done()
  await CASES['POST /api/v1/tracks/{id}/replace']!.done()
  const rows = await api.db.$client`
    select details from audit_log where actor_id = ${admin.userId} order by id`
  expect(rows.at(-2)).toMatchObject({ details: { kind: 'retranscode' } })
  expect(rows.at(-1)).toMatchObject({
    details: { filename: FILE.filename, sizeBytes: 6, uploadId: expect.any(String) },
  })
})
