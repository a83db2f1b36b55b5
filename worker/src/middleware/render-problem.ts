import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { AppEnv } from '../app-env.ts'
import type { Deps } from '../deps.ts'
import { describeError } from '../describe-error.ts'
import { Problem } from '../problem.ts'
import { API_BASE } from '../api-base.ts'
import type { ProblemShape } from '../contract/problem.ts'

/** Seconds to wait for a database or an object store that can't be reached. */
const UNAVAILABLE_RETRY_S = 5

/** Makes a refusal of whatever was thrown; what we did not foresee leaks nothing. */
function toProblem(error: unknown, deps: Pick<Deps, 'isUnavailable' | 'isUnusableValue'>): Problem {
  if (error instanceof Problem) return error
  if (deps.isUnavailable(error))
    return new Problem(
      'unavailable',
      'A part of this service is unavailable. Try again in a few seconds.',
      {
        retryAfterS: UNAVAILABLE_RETRY_S,
        cause: error,
      },
    )
  if (error instanceof HTTPException && error.status < 500)
    return new Problem('malformed-request', 'Send a body that is valid JSON.', { cause: error })
  if (deps.isUnusableValue(error))
    return new Problem('validation-failed', 'One of the values is out of every range.', {
      cause: error,
    })
  return new Problem('internal', 'It is logged. Tell us the request id if it happens again.', {
    cause: error,
  })
}

/** Renders whatever a handler threw as `application/problem+json` (RFC 9457). */
export function renderProblem(error: unknown, c: Context<AppEnv>): Response {
  const problem = toProblem(error, c.get('deps'))
  const requestId = c.get('requestId')
  // A value that came as far as the database is a schema of ours to mend.
  if (problem.status >= 500 || (problem.code === 'validation-failed' && problem.cause))
    c.get('deps').log.error(problem.code, { requestId, error: describeError(problem.cause) })

  const url = new URL(c.req.url)
  const { retryAfterS } = problem.members
  if (retryAfterS !== undefined) c.header('retry-after', String(retryAfterS))
  if (problem.status === 401) c.header('www-authenticate', 'Bearer realm="mist"')
  c.header('cache-control', 'no-store')
  return c.body(
    JSON.stringify({
      type: `${url.origin}${API_BASE}/problems/${problem.code}`,
      title: problem.title,
      status: problem.status,
      detail: problem.detail,
      instance: url.pathname,
      requestId,
      ...problem.members,
    } satisfies ProblemShape),
    problem.status,
    { 'content-type': 'application/problem+json' },
  )
}
