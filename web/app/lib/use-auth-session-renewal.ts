import { useRevalidator, useRouteLoaderData } from '@remix-run/react'
import { useEffect } from 'react'
import { mayReload, resetReloads } from './reload-limit.ts'
import { authSession } from './browser-api.ts'
import type { RootData } from './root-data.ts'

/** Longest time between two checks: timers are late after a machine has slept. */
export const MAX_RECHECK_MS = 60_000

/** Shortest, so that no mistake causes a busy loop. */
const MIN_RECHECK_MS = 1000

/** When this page was requested, Unix milliseconds. Not `timeOrigin`, which misses later changes of the clock. */
export function pageRequestedAtMs(): number {
  return Date.now() - performance.now()
}

/** Loader data already used: its `leftMs` counts from when it arrived. */
const used = new WeakSet<RootData>()

/**
 * Keeps the visitor signed in while a page is open, taking turns with all other tabs.
 *
 * @param isPageRenewing whether the page itself refreshes, because it can't be shown before
 */
export function useAuthSessionRenewal({ isPageRenewing }: { isPageRenewing: boolean }): void {
  const data = useRouteLoaderData<RootData>('root')
  const { revalidate } = useRevalidator()
  const isRenewable = data?.isRenewable ?? false

  useEffect(() => {
    if (isPageRenewing) return
    const session = authSession()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isUnmounted = false
    // A page with an expired token must not overwrite what another tab has just refreshed.
    if (data && !isRenewable) {
      resetReloads()
      if (!used.has(data)) session.setAccess(data.access)
      used.add(data)
    }

    async function renewIfDue() {
      if (isRenewable) return session.renewForPage(pageRequestedAtMs())
      return session.dueInMs() === 0 ? session.renew() : null
    }

    async function check(): Promise<void> {
      clearTimeout(timer)
      const result = await renewIfDue()
      if (isUnmounted || result?.kind === 'signed-out') return
      if (isRenewable && result?.kind === 'renewed') {
        if (mayReload()) revalidate()
        return
      }
      const nextMs = result?.kind === 'unavailable' ? result.retryInMs : session.dueInMs()
      clearTimeout(timer)
      if (nextMs === null) return
      const inMs = Math.min(Math.max(nextMs, MIN_RECHECK_MS), MAX_RECHECK_MS)
      timer = setTimeout(() => void check(), inMs)
    }

    const handleVisibility = () => {
      if (document.visibilityState === 'visible') void check()
    }
    const handleOnline = () => {
      session.handleOnline()
      void check()
    }
    document.addEventListener('visibilitychange', handleVisibility)
    window.addEventListener('online', handleOnline)
    void check()
    return () => {
      isUnmounted = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', handleVisibility)
      window.removeEventListener('online', handleOnline)
    }
  }, [data, isRenewable, isPageRenewing, revalidate])
}
