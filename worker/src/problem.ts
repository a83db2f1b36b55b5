import { type MembersOf, PROBLEMS, type ProblemCode, type ProblemMembers } from '@mist/db/contract'

type Extras<C extends ProblemCode> = MembersOf<C> & { cause?: unknown }

/** Left out only where a problem of this code may come without members. */
type Rest<C extends ProblemCode> =
  object extends MembersOf<C> ? [extras?: Extras<C>] : [extras: Extras<C>]

/** A wait as problems and `Retry-After` tell it: whole seconds, at least one. */
export const wholeWait = (seconds: number) => Math.max(1, Math.ceil(seconds))

/**
 * A refusal (RFC 9457): `detail` is for the person who has to act on it, the members are for programs,
 * `cause` is for us. Only `onError` renders it.
 */
export class Problem<C extends ProblemCode = ProblemCode> extends Error {
  override name = 'Problem'
  readonly code: C
  readonly status: (typeof PROBLEMS)[ProblemCode]['status']
  readonly title: string
  readonly detail: string
  readonly members: ProblemMembers

  constructor(code: C, detail: string, ...[extras]: Rest<C>) {
    const { cause, ...members }: ProblemMembers & { cause?: unknown } = extras ?? {}
    super(`${code}: ${detail}`, { cause })
    this.code = code
    this.status = PROBLEMS[code].status
    this.title = PROBLEMS[code].title
    this.detail = detail
    this.members = members
  }
}
