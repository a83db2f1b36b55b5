import { makeApiFetch } from '../../app/lib/api-fetch.server.ts'
import type { WebEnv } from '../../app/lib/api-fetch.server.ts'

/** Forwards /api/* to the Worker, so that browsers see one origin and cookies need no CORS. */
export async function onRequest(context: { request: Request; env: WebEnv }): Promise<Response> {
  return makeApiFetch(context.env)(context.request)
}
