import { useEffect, useState } from 'react'
import { mayReload } from './reload-limit.ts'
import { authSession } from './browser-api.ts'
import { signInPath } from './return-path.ts'
import { MAX_RECHECK_MS, pageRequestedAtMs } from './use-auth-session-renewal.ts'

/** State of a page that can't be shown before the auth session is refreshed. */
export type PageRenewal =
  | { kind: 'renewing' }
  /** The API is unavailable; the next try is in about `inS` seconds. */
  | { kind: 'waiting'; inS: number; detail: string }
  /** The session was refreshed, but the page is still refused. */
  | { kind: 'stuck' }

/**
 * Refreshes the auth session, then reloads the page. While the API is unavailable, it waits: as long as
 * `Retry-After` says, or with exponential backoff.
 */
export function usePageRenewal(): PageRenewal {
  const [state, setState] = useState<PageRenewal>({ kind: 'renewing' })

  useEffect(() => {
    const session = authSession()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isUnmounted = false

    async function attempt(): Promise<void> {
      clearTimeout(timer)
      const result = await session.renewForPage(pageRequestedAtMs())
      if (isUnmounted) return
      const here = window.location.pathname + window.location.search
      switch (result.kind) {
        case 'signed-out':
          window.location.assign(signInPath(here))
          return
        case 'renewed':
          // Not reload(), which would send a form again.
          if (mayReload()) window.location.replace(here)
          else setState({ kind: 'stuck' })
          return
        case 'unavailable': {
          const { retryInMs, problem } = result
          setState({ kind: 'waiting', inS: Math.ceil(retryInMs / 1000), detail: problem.detail })
          clearTimeout(timer)
          // An early check is answered without a request.
          timer = setTimeout(() => void attempt(), Math.min(retryInMs + 50, MAX_RECHECK_MS))
        }
      }
    }

    const handleOnline = () => {
      session.handleOnline()
      void attempt()
    }
    window.addEventListener('online', handleOnline)
    void attempt()
    return () => {
      isUnmounted = true
      clearTimeout(timer)
      window.removeEventListener('online', handleOnline)
    }
  }, [])

  return state
}
