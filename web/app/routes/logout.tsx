import { redirect } from '@remix-run/cloudflare'
import type { ActionFunctionArgs } from '@remix-run/cloudflare'
import { cookiesOf } from '../lib/api.ts'
import { apiFor, pageProblem } from '../lib/api.server.ts'
import { withCookies } from '../lib/cookies.server.ts'
import { isRefusal } from '../lib/problem.ts'

/** Following a link does not sign out; only the form does. */
export function loader() {
  return redirect('/')
}

export async function action({ request, context }: ActionFunctionArgs) {
  try {
    const api = apiFor({ request, context })
    const cookies = await cookiesOf(api.auth.logout.$post({ json: {} }))
    return redirect('/', { headers: withCookies(cookies) })
  } catch (error) {
    if (isRefusal(error)) throw pageProblem(error.problem)
    throw error
  }
}
