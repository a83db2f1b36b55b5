import { ApiRefusal, problemOfResponse, unreachable } from './problem.ts'
import type {
  Device,
  Heard,
  HistoryEntry,
  Job,
  ListeningSession,
  Page,
  Quota,
  SignIn,
  SimilarTrack,
  StartedUpload,
  Track,
  UploadRequest,
  User,
} from './api-types.ts'

/** Sends one request to the API; `path` starts with `/api/v1/`. */
export type Send = (path: string, init: RequestInit) => Promise<Response>

export type CallOptions = { signal?: AbortSignal; headers?: Record<string, string> }

function queryOf(params: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) query.set(name, String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/**
 * Makes the typed client of the API. The same one serves loaders, which send over the service
 * binding with the visitor's cookies, and the browser, which refreshes its sign-in as needed.
 *
 * @throws ApiRefusal from every call that is not answered with 2xx
 */
export function makeApi({ send }: { send: Send }) {
  async function exchange(
    method: string,
    path: string,
    body: unknown,
    { signal, headers = {} }: CallOptions = {},
  ): Promise<Response> {
    const init: RequestInit = { method, headers: { accept: 'application/json', ...headers } }
    if (signal) init.signal = signal
    if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = { ...init.headers, 'content-type': 'application/json' }
    }
    const response = await send(`/api/v1/${path}`, init).catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw new ApiRefusal(unreachable())
    })
    if (!response.ok) throw new ApiRefusal(await problemOfResponse(response))
    return response
  }

  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    options?: CallOptions,
  ): Promise<T> {
    const response = await exchange(method, path, body, options)
    const text = await response.text()
    // The Worker's types describe what it answers; its own tests hold the two together.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (text === '' ? null : JSON.parse(text)) as T
  }

  return {
    /** Signs in; the answer carries the cookies that make it last. */
    async signIn(kind: 'login' | 'register', values: Record<string, string>) {
      const response = await exchange('POST', `auth/${kind}`, values)
      return { cookies: response.headers.getSetCookie(), signIn: (await response.json()) as SignIn }
    },
    /** Ends this sign-in; the answer clears the cookies. */
    async signOut() {
      const response = await exchange('POST', 'auth/logout', {})
      return { cookies: response.headers.getSetCookie() }
    },
    async changePassword(currentPassword: string, newPassword: string) {
      const response = await exchange('POST', 'auth/password', { currentPassword, newPassword })
      return { cookies: response.headers.getSetCookie() }
    },
    me: () => call<{ user: User }>('GET', 'auth/me'),
    devices: () => call<{ items: Device[] }>('GET', 'auth/sessions'),
    revokeDevice: (id: string) => call<null>('DELETE', `auth/sessions/${encodeURIComponent(id)}`),

    tracks: (page: { limit?: number; cursor?: string }) =>
      call<Page<Track>>('GET', `tracks${queryOf(page)}`),
    track: (id: string) => call<Track>('GET', `tracks/${encodeURIComponent(id)}`),
    similar: (id: string, limit: number) =>
      call<{ items: SimilarTrack[] }>(
        'GET',
        `tracks/${encodeURIComponent(id)}/similar${queryOf({ limit })}`,
      ),

    quota: () => call<Quota>('GET', 'quota'),
    history: (page: { limit?: number; cursor?: string }) =>
      call<Page<HistoryEntry>>('GET', `me/history${queryOf(page)}`),

    startListening: (trackId: string, positionS: number, options?: CallOptions) =>
      call<ListeningSession>(
        'POST',
        'listening-sessions',
        positionS > 0 ? { trackId, positionS } : { trackId },
        options,
      ),
    heartbeat: (id: string, positionS: number) =>
      call<Heard>('POST', `listening-sessions/${id}/heartbeat`, { positionS }),
    completeListening: (id: string, positionS: number) =>
      call<{ heardS: number; counted: boolean; quota: Quota }>(
        'POST',
        `listening-sessions/${id}/complete`,
        { positionS },
      ),

    startUpload: (request: UploadRequest, options?: CallOptions) =>
      call<StartedUpload>('POST', 'uploads', request, options),
    /** Fresh URLs for an upload; parts that are stored already come with their etag. */
    resumeUpload: (uploadId: string, options?: CallOptions) =>
      call<StartedUpload>('GET', `uploads/${uploadId}`, undefined, options),
    completeUpload: (
      uploadId: string,
      parts: { partNumber: number; etag: string }[] | null,
      options?: CallOptions,
    ) =>
      call<{ jobId: string; status: string }>(
        'POST',
        `uploads/${uploadId}/complete`,
        parts === null ? {} : { parts },
        options,
      ),
    jobs: (page: { limit?: number; cursor?: string }) =>
      call<Page<Job>>('GET', `jobs${queryOf(page)}`),
    job: (id: string, options?: CallOptions) => call<Job>('GET', `jobs/${id}`, undefined, options),
    retryJob: (id: string) => call<Job>('POST', `jobs/${id}/retry`, {}),
  }
}

export type Api = ReturnType<typeof makeApi>
