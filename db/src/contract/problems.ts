import { z } from 'zod'

/**
 * Every refusal the API can give: code → HTTP status and title (RFC 9457). The `detail` that goes
 * with it is written where the refusal happens, for the person who has to act on it.
 */
export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request could not be read' },
  'signed-out': { status: 401, title: 'Sign in first' },
  'invalid-credentials': { status: 401, title: 'E-mail or password is wrong' },
  'refresh-invalid': { status: 401, title: 'The session has ended' },
  'refresh-reused': { status: 401, title: 'The session was ended for safety' },
  'session-token-invalid': { status: 401, title: 'The session token is missing, wrong or expired' },
  'quota-exhausted': { status: 402, title: "Today's listening time is used up" },
  forbidden: { status: 403, title: 'Not allowed' },
  'account-blocked': { status: 403, title: 'This account is blocked' },
  'origin-refused': { status: 403, title: 'The request came from a page that may not make it' },
  'wrong-track': { status: 403, title: 'The session is for another track' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'email-taken': { status: 409, title: 'This e-mail address has an account' },
  'username-taken': { status: 409, title: 'This username is taken' },
  'upload-incomplete': { status: 409, title: 'The upload is not complete' },
  'job-not-retryable': { status: 409, title: 'The job cannot be tried again' },
  'track-not-ready': { status: 409, title: 'The track is not ready to play' },
  superseded: { status: 409, title: 'Another device is playing' },
  'session-ended': { status: 409, title: 'The listening session is over' },
  'upload-too-large': { status: 413, title: 'The file is too large' },
  'body-too-large': { status: 413, title: 'The request is too large' },
  'unsupported-type': { status: 415, title: 'This kind of file is not supported' },
  'validation-failed': { status: 422, title: 'Some of the values are not usable' },
  'invalid-position': { status: 422, title: 'The position is not possible' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'too-early': { status: 429, title: 'Too far ahead of the music' },
  internal: { status: 500, title: 'Something broke on our side' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof PROBLEMS

/** One value that was not usable, and why; `path` joins the names on the way to it with dots. */
export const ValueError = z.object({ path: z.string(), message: z.string() })
export type ValueError = z.infer<typeof ValueError>

/** Members that problems carry beside those of RFC 9457. */
export const ProblemMembers = z.object({
  /** Seconds after which another try makes sense; also sent as `Retry-After`. */
  retryAfterS: z.int().positive().optional(),
  /** When the day's budget returns. */
  resetsAt: z.iso.datetime().optional(),
  /** Which values were not usable. */
  errors: z.array(ValueError).optional(),
})
export type ProblemMembers = z.infer<typeof ProblemMembers>

/** Which of the members the problems of a code always carry. */
type RequiredMembers = {
  'quota-exhausted': 'retryAfterS' | 'resetsAt'
  'too-early': 'retryAfterS'
  'rate-limited': 'retryAfterS'
  unavailable: 'retryAfterS'
}

/** The members of a problem of one code. */
export type MembersOf<C extends ProblemCode> = C extends keyof RequiredMembers
  ? Required<Pick<ProblemMembers, RequiredMembers[C]>>
  : C extends 'validation-failed'
    ? Pick<ProblemMembers, 'errors'>
    : Partial<Record<keyof ProblemMembers, never>>
