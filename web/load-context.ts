import type { AppLoadContext } from '@remix-run/cloudflare'
import { makeApiFetch } from './app/lib/api-fetch.server.ts'
import type { ApiFetch, WebEnv } from './app/lib/api-fetch.server.ts'

declare module '@remix-run/cloudflare' {
  // Declaration merging is the only way to type the load context, and it needs an interface.
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface AppLoadContext {
    api: ApiFetch
    /** Fresh for every response; the only inline scripts that run carry it. */
    nonce: string
  }
}

/** Makes what loaders, actions and the document renderer get beside the request. */
export function getLoadContext({
  context,
}: {
  context: { cloudflare: { env: WebEnv } }
}): AppLoadContext {
  return { api: makeApiFetch(context.cloudflare.env), nonce: crypto.randomUUID() }
}
