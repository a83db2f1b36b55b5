import type { ClientResponse } from 'hono/client'
import { ApiRefusal, problemOfResponse, unreachable } from './problem.ts'

export type { Client as Api } from '@mist/worker/client'

/** What an answer promises where it is no refusal. */
type Body<R> =
  R extends ClientResponse<infer T, infer S> ? (S extends 200 | 201 | 202 ? T : never) : never

/**
 * Waits for an answer.
 *
 * @throws ApiRefusal where it is not 2xx, or where none comes
 */
async function answered(asked: Promise<unknown>): Promise<Response> {
  const answer = await asked.catch((error: unknown) => {
    throw new ApiRefusal(unreachable(), { cause: error })
  })
  if (!(answer instanceof Response)) throw new ApiRefusal(unreachable())
  if (!answer.ok) throw new ApiRefusal(await problemOfResponse(answer))
  return answer
}

/**
 * Reads what a call of the API answers with: `await read(api.tracks[':id'].$get({ param: { id } }))`.
 *
 * @throws ApiRefusal where it is refused or unreachable
 */
export async function read<R>(asked: Promise<R>): Promise<Body<R>> {
  return (await answered(asked)).json()
}

/** Waits for a call whose answer has no body; its cookies, which start or end an auth session. */
export async function cookiesOf(asked: Promise<unknown>): Promise<string[]> {
  return (await answered(asked)).headers.getSetCookie()
}
