import type { LoaderFunctionArgs } from '@remix-run/cloudflare'
import { Outlet } from '@remix-run/react'
import { read } from '../lib/api.ts'
import { asking, pageProblem } from '../lib/api.server.ts'
import { problemOf } from '../lib/problem.ts'

/** Guards all pages below /admin: only admins see them. The API checks every request by itself. */
export async function loader({ request, context }: LoaderFunctionArgs) {
  const { user } = await asking({ request, context }, (api) => read(api.auth.me.$get()))
  if (user.role !== 'admin') {
    const detail = 'Only admins may upload music. Ask the person who runs this site.'
    throw pageProblem(problemOf(403, { detail }, null, Date.now()))
  }
  return null
}

export default function Admin() {
  return <Outlet />
}
