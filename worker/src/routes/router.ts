import { OpenAPIHono } from '@hono/zod-openapi'
import { PROBLEMS, type ProblemCode } from '@mist/db/contract'
import { z } from 'zod'
import type { AppEnv } from '../app-env.ts'
import { ProblemShape } from '../contract/problem.ts'
import { Problem } from '../problem.ts'

/** A request of ten thousand bad values is answered with the first few. */
const MAX_ERRORS = 20

/**
 * Makes a router whose validation refuses as the rest does. A malformed id in a path is not a
 * mistake in a form but the address of nothing: 404.
 */
export function makeRouter() {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return
      if (result.target === 'param')
        throw new Problem('not-found', 'There is nothing at this address.')
      const errors = result.error.issues.slice(0, MAX_ERRORS).map(({ path, message }) => ({
        path: path.join('.'),
        message,
      }))
      throw new Problem('validation-failed', errors[0]?.message ?? 'Check the values.', { errors })
    },
  })
}

type Refusals<C extends ProblemCode> = {
  [S in (typeof PROBLEMS)[C]['status']]: {
    description: string
    content: { 'application/problem+json': { schema: typeof ProblemShape } }
  }
}

/** Documents the refusals of a route. */
export function refusals<C extends ProblemCode>(...codes: C[]): Refusals<C> {
  const byStatus: Record<number, unknown> = {}
  for (const { status } of codes.map((code) => PROBLEMS[code]))
    byStatus[status] = {
      description: codes.filter((code) => PROBLEMS[code].status === status).join(', '),
      content: { 'application/problem+json': { schema: ProblemShape } },
    }
  // The loop fills in exactly the statuses of the codes; the type says the same of the same table.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return byStatus as Refusals<C>
}

/** Documents an answer in JSON. */
export function answers<S extends z.ZodType>(description: string, schema: S) {
  return { description, content: { 'application/json': { schema } } }
}

/** Documents a body in JSON that may be there; without one the values are those of `{}`. */
export function mayTake<S extends z.ZodType>(schema: S) {
  return { required: false, content: { 'application/json': { schema } } }
}

/** Documents a body in JSON that must be there. */
export function takes<S extends z.ZodType>(schema: S) {
  return { required: true, content: { 'application/json': { schema } } }
}
