import { useEffect, useState } from 'react'
import { mayAskAgain } from './asking-again.ts'
import { signInKeeper } from './browser-api.ts'
import { signInPath } from './return-path.ts'
import { LOOK_AGAIN_MS, pageAskedForMs } from './use-sign-in-keeper.ts'

/** How far a page is that can't be shown before the sign-in is renewed. */
export type PageRenewal =
  | { kind: 'renewing' }
  /** The service could not be asked; the next try is in about so many seconds. */
  | { kind: 'waiting'; inS: number; detail: string }
  /** It was renewed, and the page is refused all the same. */
  | { kind: 'stuck' }

/**
 * Renews the sign-in, then asks for the page again. While the service can't be asked, it waits as long
 * as it is told to, or ever longer, and the page stays as it is.
 */
export function usePageRenewal(): PageRenewal {
  const [state, setState] = useState<PageRenewal>({ kind: 'renewing' })

  useEffect(() => {
    const keeper = signInKeeper()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false

    async function attempt(): Promise<void> {
      clearTimeout(timer)
      const renewal = await keeper.renewForPage(pageAskedForMs())
      if (isOver) return
      const here = window.location.pathname + window.location.search
      switch (renewal.kind) {
        case 'signed-out':
          window.location.assign(signInPath(here))
          return
        case 'renewed':
          // Not reload(), which would send a form again.
          if (mayAskAgain()) window.location.replace(here)
          else setState({ kind: 'stuck' })
          return
        case 'unavailable': {
          const { retryInMs, problem } = renewal
          setState({ kind: 'waiting', inS: Math.ceil(retryInMs / 1000), detail: problem.detail })
          clearTimeout(timer)
          // Looking before the wait is over asks nobody.
          timer = setTimeout(() => void attempt(), Math.min(retryInMs + 50, LOOK_AGAIN_MS))
        }
      }
    }

    const onOnline = () => {
      keeper.connected()
      void attempt()
    }
    window.addEventListener('online', onOnline)
    void attempt()
    return () => {
      isOver = true
      clearTimeout(timer)
      window.removeEventListener('online', onOnline)
    }
  }, [])

  return state
}
