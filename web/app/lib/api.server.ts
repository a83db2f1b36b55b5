import { makeClient } from '@mist/worker/client'
import { redirect } from '@remix-run/cloudflare'
import type { AppLoadContext } from '@remix-run/cloudflare'
import type { Api } from './api.ts'
import { accessCookie, refreshCookie } from './cookies.server.ts'
import { isSameOrigin } from './same-origin.server.ts'
import { isRefusal } from './problem.ts'
import type { Problem } from './problem.ts'
import { signInPath } from './return-path.ts'

type Ask = { request: Request; context: AppLoadContext }

/** Headers of the visitor's own request that the Worker needs: the cookies, and where they come from. */
const PASSED_ON = ['cookie', 'user-agent', 'accept-language', 'cf-connecting-ip', 'x-request-id']

/** Makes the API client of one incoming request; it sends the visitor's own cookies. */
export function apiFor({ request, context }: Ask): Api {
  const { origin } = new URL(request.url)
  return makeClient(origin, {
    fetch: (input, init) => {
      const asked = new Request(input, init)
      const headers = new Headers(asked.headers)
      for (const name of PASSED_ON) {
        const value = request.headers.get(name)
        if (value !== null) headers.set(name, value)
      }
      // The page's origin, as the browser says it: the Worker checks it on writes with cookies.
      const page = request.headers.get('origin') ?? (isSameOrigin(request) ? origin : null)
      if (page !== null) headers.set('origin', page)
      return context.api(new Request(asked, { headers }))
    },
  })
}

/** Tells whether the browser could renew its session; a loader never does so itself. */
export function mayRefresh(request: Request): boolean {
  return refreshCookie(request) !== null
}

/**
 * Tells when the access token ends, in Unix milliseconds; null where there is none. The token is
 * httpOnly and not verified here: the browser only wants to know when to ask for the next one.
 */
export function accessEndsAt(request: Request): number | null {
  const payload = accessCookie(request)?.split('.')[1]
  if (payload === undefined) return null
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : null
    return typeof exp === 'number' ? exp * 1000 : null
  } catch {
    return null
  }
}

/** Answers a refused request of a page: the error boundary tells it in sentences. */
export function pageProblem(problem: Problem): Response {
  return Response.json(problem, { status: problem.status === 0 ? 503 : problem.status })
}

/** The problem that a page shows while the browser renews its session and asks again. */
const RENEWING = 'renewing'

/**
 * Runs a loader's calls. Visitors who are not signed in go to the sign-in page and come back; where
 * access has run out, the page renews it, since only the browser may use the refresh token.
 *
 * @throws Response for the error boundary, or a redirect
 */
export async function asking<T>(ask: Ask, load: (api: Api) => Promise<T>): Promise<T> {
  try {
    return await load(apiFor(ask))
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (error.problem.status !== 401) throw pageProblem(error.problem)
    if (mayRefresh(ask.request)) throw pageProblem({ ...error.problem, code: RENEWING })
    const { pathname, search } = new URL(ask.request.url)
    throw redirect(signInPath(pathname + search))
  }
}
