import { makeClient } from '@mist/worker/client'
import type { Login, NewUpload, Registration } from '@mist/worker/client'
import type { InferResponseType } from 'hono/client'
import { ApiRefusal, problemOfResponse, unreachable } from './problem.ts'

/** What the API's answers promise when they are not refusals. */
type Ok = 200 | 201 | 202 | 204

type Ask = (...args: never[]) => Promise<{ ok: boolean }>

export type PageOf = { limit?: number; cursor?: string }

export type CallOptions = { signal?: AbortSignal }

function isResponse(answer: unknown): answer is Response {
  return answer instanceof Response
}

/** Waits for an answer. @throws ApiRefusal where it is none, or not a 2xx. */
async function answered(asking: Promise<unknown>, signal?: AbortSignal): Promise<Response> {
  const answer = await asking.catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiRefusal(unreachable(), { cause: error })
  })
  if (!isResponse(answer)) throw new ApiRefusal(unreachable())
  if (!answer.ok) throw new ApiRefusal(await problemOfResponse(answer))
  return answer
}

/** For the answers whose cookies matter. */
async function cookiesOf(asking: Promise<unknown>): Promise<string[]> {
  return (await answered(asking)).headers.getSetCookie()
}

/** Asks, and reads the JSON of the answer. */
async function read<F extends Ask>(
  ask: F,
  ...args: Parameters<F>
): Promise<InferResponseType<F, Ok>> {
  const response = await answered(ask(...args))
  return response.json()
}

function queryOf({ limit, cursor }: PageOf) {
  return {
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

function init({ signal }: CallOptions): { init: RequestInit } {
  return { init: signal ? { signal } : {} }
}

/**
 * Makes what pages and the player ask the API with: the Worker's typed client, with refusals thrown.
 * The same one serves loaders, which send over the service binding with the visitor's cookies, and
 * the browser, which renews its sign-in as needed.
 *
 * @throws ApiRefusal from every call that is not answered with 2xx
 */
export function makeApi({ origin, fetch }: { origin: string; fetch: typeof globalThis.fetch }) {
  const client = makeClient(origin, { fetch })

  return {
    /** Each of these answers with the cookies that start or end the sign-in. */
    login: (json: Login) => cookiesOf(client.auth.login.$post({ json })),
    register: (json: Registration) => cookiesOf(client.auth.register.$post({ json })),
    logout: () => cookiesOf(client.auth.logout.$post({ json: {} })),
    changePassword: (currentPassword: string, newPassword: string) =>
      cookiesOf(client.auth.password.$post({ json: { currentPassword, newPassword } })),

    me: () => read(client.auth.me.$get),
    devices: () => read(client.auth.sessions.$get),
    async revokeDevice(id: string) {
      await answered(client.auth.sessions[':id'].$delete({ param: { id } }))
    },
    async revokeOtherDevices() {
      await answered(client.auth.sessions.$delete())
    },

    tracks: (page: PageOf) => read(client.tracks.index.$get, { query: queryOf(page) }),
    credits: (page: PageOf) => read(client.credits.index.$get, { query: queryOf(page) }),
    track: (id: string) => read(client.tracks[':id'].$get, { param: { id } }),
    similar: (id: string, limit: number) =>
      read(client.tracks[':id'].similar.$get, { param: { id }, query: { limit: String(limit) } }),

    quota: () => read(client.quota.index.$get),
    history: (page: PageOf) => read(client.me.history.$get, { query: queryOf(page) }),

    /** @param hls whether the playlists and init segments are wanted with the session */
    startListening: (trackId: string, positionS: number, hls: boolean) =>
      read(client.listeningSessions.index.$post, { json: { trackId, positionS, hls } }),
    heartbeat: (id: string, positionS: number) =>
      read(client.listeningSessions[':id'].heartbeat.$post, { param: { id }, json: { positionS } }),
    completeListening: (id: string, positionS: number) =>
      read(client.listeningSessions[':id'].complete.$post, { param: { id }, json: { positionS } }),

    startUpload: (json: NewUpload, options: CallOptions = {}) =>
      read(client.uploads.index.$post, { json }, init(options)),
    /** Fresh URLs for an upload; parts that are stored already come with their etag. */
    resumeUpload: (uploadId: string, options: CallOptions = {}) =>
      read(client.uploads[':uploadId'].$get, { param: { uploadId } }, init(options)),
    completeUpload: (
      uploadId: string,
      parts: { partNumber: number; etag: string }[] | null,
      options: CallOptions = {},
    ) =>
      read(
        client.uploads[':uploadId'].complete.$post,
        { param: { uploadId }, json: parts === null ? {} : { parts } },
        init(options),
      ),
    jobs: (page: PageOf) => read(client.jobs.index.$get, { query: queryOf(page) }),
    job: (jobId: string) => read(client.jobs[':jobId'].$get, { param: { jobId } }),
    retryJob: (jobId: string) => read(client.jobs[':jobId'].retry.$post, { param: { jobId } }),
  }
}

export type Api = ReturnType<typeof makeApi>
