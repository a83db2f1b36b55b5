import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi'
import { PROBLEMS, type ProblemCode } from '@mist/db/contract'
import type { AppEnv } from '../app-env.ts'
import { refusals } from './router.ts'

const CHANGING = new Set(['post', 'put', 'patch', 'delete'])

/** What an operation can answer by its shape alone, before its handler has a say. */
function sharedCodes({ method, path, request }: RouteConfig): ProblemCode[] {
  return [
    'unavailable',
    ...(path.includes('{') ? (['not-found'] as const) : []),
    // A cookie from a foreign page; a body of any length may come with what takes none, too.
    ...(CHANGING.has(method) ? (['origin-refused', 'body-too-large'] as const) : []),
    ...(request?.body ? (['malformed-request', 'validation-failed'] as const) : []),
  ]
}

/** Documents, at every operation, what all of its shape can answer. */
export function documentSharedRefusals({ openAPIRegistry }: OpenAPIHono<AppEnv>): void {
  for (const definition of openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue
    const { route } = definition
    const responses: RouteConfig['responses'] = { ...route.responses }
    for (const code of sharedCodes(route)) {
      const { status } = PROBLEMS[code]
      const response = responses[status]
      const named = response && 'description' in response ? response.description : undefined
      if (named?.split(', ').includes(code) === true) continue
      responses[status] = {
        ...refusals(code)[status],
        description: named === undefined ? code : `${named}, ${code}`,
      }
    }
    route.responses = responses
  }
}
