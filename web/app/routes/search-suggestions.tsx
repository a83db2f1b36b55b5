import type { LoaderFunctionArgs } from '@remix-run/cloudflare'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'

/** What the search box asks while somebody types. */
export async function loader({ request, context }: LoaderFunctionArgs) {
  const q = new URL(request.url).searchParams.get('q') ?? ''
  return asking({ request, context }, (api) =>
    read(api.search.suggestions.$get({ query: { q, limit: '8' } })),
  )
}
