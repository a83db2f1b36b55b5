import type { AppLoadContext } from '@remix-run/cloudflare'
import { makeApiFetch } from './app/lib/api-fetch.server.ts'
import type { ApiFetch, WebEnv } from './app/lib/api-fetch.server.ts'
import { pageSources } from './app/lib/security-headers.server.ts'
import type { PageSources, SourcesEnv } from './app/lib/security-headers.server.ts'

declare module '@remix-run/cloudflare' {
  // Declaration merging is the only way to type the load context, and it needs an interface.
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface AppLoadContext {
    api: ApiFetch
    /** Fresh for every response; the only inline scripts that run carry it. */
    nonce: string
    /** What else than this site a page may reach. */
    sources: PageSources
  }
}

/** Makes what loaders, actions and the document renderer get beside the request. */
export function getLoadContext({
  context,
}: {
  context: { cloudflare: { env: WebEnv & SourcesEnv } }
}): AppLoadContext {
  const { env } = context.cloudflare
  return { api: makeApiFetch(env), nonce: crypto.randomUUID(), sources: pageSources(env) }
}
