import { useRevalidator, useRouteLoaderData } from '@remix-run/react'
import { useEffect } from 'react'
import { signInKeeper } from './browser-api.ts'
import { signInPath } from './return-path.ts'
import type { RootData } from './root-data.ts'

/** Longest time to wait before looking again: timers of sleeping machines are late. */
const LOOK_AGAIN_MS = 60_000

/** When this page was asked for, by today's wall clock: `timeOrigin` keeps that of the browser's start. */
function pageAskedForMs(): number {
  return Date.now() - performance.now()
}

/** Renews the sign-in and loads the page again; without one, asks to sign in. */
export async function renewAndReload(): Promise<void> {
  const renewal = await signInKeeper().renew(pageAskedForMs())
  const here = window.location.pathname + window.location.search
  if (renewal === 'signed-out') window.location.assign(signInPath(here))
  else window.location.reload()
}

/** Keeps the visitor signed in while a page is open, in turn with all other tabs. */
export function useSignInKeeper(): void {
  const data = useRouteLoaderData<RootData>('root')
  const revalidator = useRevalidator()
  const isRenewable = data?.isRenewable ?? false
  const endsAtMs = data?.accessEndsAtMs ?? null
  const { revalidate } = revalidator

  useEffect(() => {
    const keeper = signInKeeper()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    // What another tab has just renewed is not this page's to forget.
    if (data && !isRenewable) keeper.learn(endsAtMs)

    async function look(): Promise<void> {
      const dueMs = keeper.dueInMs()
      if (isRenewable || dueMs === 0) {
        const renewal = await keeper.renew(isRenewable ? pageAskedForMs() : undefined)
        if (isOver) return
        if (renewal !== 'unreachable' && isRenewable) {
          revalidate()
          return
        }
      }
      const next = keeper.dueInMs()
      if (next !== null && !isOver) {
        timer = setTimeout(() => void look(), Math.min(Math.max(next, 1000), LOOK_AGAIN_MS))
      }
    }

    const onVisible = () => {
      if (document.visibilityState !== 'visible') return
      clearTimeout(timer)
      void look()
    }
    document.addEventListener('visibilitychange', onVisible)
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [data, endsAtMs, isRenewable, revalidate])
}
