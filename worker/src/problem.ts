import { PROBLEMS, type ProblemCode } from '@mist/db/contract'

/** What a refusal may add to its sentence. */
export type ProblemExtras = {
  /** Seconds after which trying again makes sense; becomes `Retry-After`, a whole number ≥ 1. */
  retryAfterS?: number
  /** Which values were not usable, and why. */
  errors?: { path: string; message: string }[]
  cause?: unknown
}

/**
 * A refusal (RFC 9457): `detail` is for the person who has to act on it, `cause` for us. Only
 * `onError` renders it.
 */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  readonly status: (typeof PROBLEMS)[ProblemCode]['status']
  readonly title: string
  readonly detail: string
  readonly retryAfterS: number | undefined
  readonly errors: { path: string; message: string }[] | undefined

  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(`${code}: ${detail}`, { cause: extras.cause })
    this.code = code
    this.status = PROBLEMS[code].status
    this.title = PROBLEMS[code].title
    this.detail = detail
    this.retryAfterS =
      extras.retryAfterS === undefined ? undefined : Math.max(1, Math.ceil(extras.retryAfterS))
    this.errors = extras.errors
  }
}

/** Something outside that the request needs is away; the request may be tried again. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}
