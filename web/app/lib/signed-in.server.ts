import { redirect } from '@remix-run/cloudflare'
import type { LoaderFunctionArgs } from '@remix-run/cloudflare'
import { read } from './api.ts'
import { apiFor } from './api.server.ts'
import { accessCookie } from './cookies.server.ts'
import { isRefusal } from './problem.ts'
import { returnPath } from './return-path.ts'

/**
 * Loader of the sign-in and the register page: users who are signed in already go on to where the
 * page would lead them. Everybody else gets the form, also while the API cannot be reached.
 *
 * @throws Response a redirect
 */
export async function redirectSignedIn({ request, context }: LoaderFunctionArgs): Promise<null> {
  if (accessCookie(request) === null) return null
  try {
    await read(apiFor({ request, context }).auth.me.$get())
  } catch (error) {
    if (isRefusal(error)) return null
    throw error
  }
  const { origin, searchParams } = new URL(request.url)
  throw redirect(returnPath(searchParams.get('to'), origin))
}
