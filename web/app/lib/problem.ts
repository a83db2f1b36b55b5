/** A problem of the API (RFC 9457); what proxies and crashes answer with becomes one, too. */
export type Problem = {
  /** The last segment of `type`, for example `quota-exhausted`; `internal` where there is none. */
  code: string
  status: number
  /** What happened, in a few words. */
  title: string
  /** What the person can do; falls back to the title. */
  detail: string
  /** Sentences by form field; empty unless the request's values were refused. */
  fields: Readonly<Record<string, string>>
  /** Seconds to wait before another try; null where the answer names none. */
  retryAfterS: number | null
  /** When the budget resets, if the problem says so. RFC 3339. */
  resetsAt: string | null
  requestId: string | null
}

/** Thrown by the API client for every answer that is not 2xx. */
export class ApiRefusal extends Error {
  readonly problem: Problem

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options)
    this.name = 'ApiRefusal'
    this.problem = problem
  }
}

/** Tells whether `error` is an API problem, and has this code if one is given. */
export function isRefusal(error: unknown, code?: string): error is ApiRefusal {
  return error instanceof ApiRefusal && (code === undefined || error.problem.code === code)
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Reads a text property of a problem of unknown shape; null if there is none. */
export function textAt(data: unknown, name: string): string | null {
  return textOf(recordOf(data)[name])
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const FALLBACKS: Record<number, string> = {
  401: 'Sign in first.',
  403: 'Your account may not do that.',
  404: 'There is nothing here.',
  429: 'Too many requests. Wait a moment, then try again.',
  502: 'The service cannot be reached right now. Try again in a minute.',
  503: 'The service cannot be reached right now. Try again in a minute.',
}

function codeOf(body: Record<string, unknown>, status: number): string {
  const type = textOf(body['type'])
  const code = type?.split('/').at(-1)
  if (code && code !== 'about:blank') return code
  if (status === 401) return 'signed-out'
  if (status === 429) return 'rate-limited'
  if (status >= 500) return status === 500 ? 'internal' : 'unavailable'
  return status === 404 ? 'not-found' : 'refused'
}

/** `errors: [{path: "email", message}]` → sentences by field, the first of each. */
function fieldsOf(errors: unknown): Record<string, string> {
  const fields: Record<string, string> = {}
  if (!Array.isArray(errors)) return fields
  for (const entry of errors) {
    const { path, message } = recordOf(entry)
    const name = textOf(path)
    const sentence = textOf(message)
    if (name && sentence) fields[name] ??= sentence
  }
  return fields
}

/** Seconds of a `Retry-After` header in either of its forms (RFC 9110 §10.2.3). */
export function retryAfterSeconds(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === '') return null
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, (at - nowMs) / 1000)
}

/**
 * Makes a problem from the parts of a response.
 *
 * @param body the parsed JSON, or anything else if it was not JSON
 */
export function problemOf(
  status: number,
  body: unknown,
  retryAfter: string | null,
  nowMs: number,
): Problem {
  const record = recordOf(body)
  const title = textOf(record['title']) ?? FALLBACKS[status] ?? 'Something went wrong.'
  const { retryAfterS } = record
  return {
    code: codeOf(record, status),
    status,
    title,
    detail: textOf(record['detail']) ?? FALLBACKS[status] ?? title,
    fields: fieldsOf(record['errors']),
    retryAfterS:
      typeof retryAfterS === 'number' ? retryAfterS : retryAfterSeconds(retryAfter, nowMs),
    resetsAt: textOf(record['resetsAt']),
    requestId: textOf(record['requestId']),
  }
}

/** Reads the problem in a response. Never throws. */
export async function problemOfResponse(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null)
  // A date in `Retry-After` is by the sender's clock, which is in `Date`.
  const sentAtMs = Date.parse(response.headers.get('date') ?? '')
  const nowMs = Number.isNaN(sentAtMs) ? Date.now() : sentAtMs
  return problemOf(response.status, body, response.headers.get('retry-after'), nowMs)
}

/** The problem of a request that got no response. */
export function unreachable(): Problem {
  return {
    code: 'unreachable',
    status: 0,
    title: 'No connection',
    detail: 'The service could not be reached. Check the connection, then try again.',
    fields: {},
    retryAfterS: null,
    resetsAt: null,
    requestId: null,
  }
}
