import { z } from 'zod'
import type { Login } from './state.ts'

const Tokens = z.object({ accessToken: z.string() })

const CreatedUpload = z.discriminatedUnion('method', [
  z.object({
    method: z.literal('PUT'),
    uploadId: z.string(),
    jobId: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
  }),
  z.object({ method: z.literal('MULTIPART'), uploadId: z.string(), jobId: z.string() }),
])

const Job = z.object({
  status: z.enum(['pending_upload', 'queued', 'processing', 'completed', 'failed']),
  step: z.string().nullable(),
  progress: z.number(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
})

/** What is asked of an upload. */
export type NewUpload = {
  filename: string
  sizeBytes: number
  contentType: string
  metadata: {
    title: string
    artists: string[]
    album?: string | undefined
    trackNumber?: number | undefined
    genres: string[]
    attribution: string
  }
}

/** The few calls of MIST's own API that setting up a stack takes. */
export type Api = ReturnType<typeof makeApi>

/** An answer that was not the expected one. */
export class ApiError extends Error {
  readonly status: number
  /** The problem's code, as in `email-taken`; `null` when the answer names none. */
  readonly code: string | null

  constructor(what: string, status: number, body: string) {
    super(`${what} answered ${status}: ${body.slice(0, 500)}`)
    this.name = 'ApiError'
    this.status = status
    this.code = /"type":\s*"[^"]*\/([\w-]+)"/.exec(body)?.[1] ?? null
  }
}

/** Makes the calls; `origin` is where `/api/v1` lies. */
export function makeApi({ origin }: { origin: string }) {
  let bearer: string | null = null

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${origin}/api/v1/${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    if (!response.ok) throw new ApiError(`${method} ${path}`, response.status, text)
    return text === '' ? null : JSON.parse(text)
  }

  return {
    /** Logs in, and makes the calls that follow as this person; `null` when there is no such. */
    async login({ email, password }: Login): Promise<string | null> {
      try {
        bearer = null
        bearer = Tokens.parse(await call('POST', 'auth/login', { email, password })).accessToken
        return bearer
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null
        throw error
      }
    },

    async register({ email, username, password }: Login): Promise<void> {
      bearer = null
      await call('POST', 'auth/register', { email, username, password })
    },

    async createUpload(upload: NewUpload) {
      return CreatedUpload.parse(await call('POST', 'uploads', upload))
    },

    async completeUpload(uploadId: string): Promise<void> {
      await call('POST', `uploads/${uploadId}/complete`, {})
    },

    /** How far a job is; `null` when there is no such job. */
    async job(jobId: string) {
      try {
        return Job.parse(await call('GET', `jobs/${jobId}`))
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null
        throw error
      }
    },
  }
}
