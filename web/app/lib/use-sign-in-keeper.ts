import { useRevalidator, useRouteLoaderData } from '@remix-run/react'
import { useEffect } from 'react'
import { mayAskAgain, pageHasArrived } from './asking-again.ts'
import { signInKeeper } from './browser-api.ts'
import type { RootData } from './root-data.ts'

/** Longest time to wait before looking again: timers of sleeping machines are late. */
export const LOOK_AGAIN_MS = 60_000

/** Shortest, so that no mistake makes a loop of it. */
const LOOK_AGAIN_SOONEST_MS = 1000

/** When this page was asked for, by today's wall clock: `timeOrigin` keeps that of the browser's start. */
export function pageAskedForMs(): number {
  return Date.now() - performance.now()
}

/** What was learned is so many milliseconds from when it came, and is not learned again later. */
const learned = new WeakSet<RootData>()

/**
 * Keeps the visitor signed in while a page is open, in turn with all other tabs.
 *
 * @param isPageRenewing whether the page itself does that, since it can't be shown before
 */
export function useSignInKeeper({ isPageRenewing }: { isPageRenewing: boolean }): void {
  const data = useRouteLoaderData<RootData>('root')
  const { revalidate } = useRevalidator()
  const isRenewable = data?.isRenewable ?? false

  useEffect(() => {
    if (isPageRenewing) return
    const keeper = signInKeeper()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    // What another tab has just renewed is not this page's to forget.
    if (data && !isRenewable) {
      pageHasArrived()
      if (!learned.has(data)) keeper.learn(data.access)
      learned.add(data)
    }

    async function renewal() {
      if (isRenewable) return keeper.renewForPage(pageAskedForMs())
      return keeper.dueInMs() === 0 ? keeper.renew() : null
    }

    async function look(): Promise<void> {
      clearTimeout(timer)
      const outcome = await renewal()
      if (isOver || outcome?.kind === 'signed-out') return
      if (isRenewable && outcome?.kind === 'renewed') {
        if (mayAskAgain()) revalidate()
        return
      }
      const nextMs = outcome?.kind === 'unavailable' ? outcome.retryInMs : keeper.dueInMs()
      clearTimeout(timer)
      if (nextMs === null) return
      const inMs = Math.min(Math.max(nextMs, LOOK_AGAIN_SOONEST_MS), LOOK_AGAIN_MS)
      timer = setTimeout(() => void look(), inMs)
    }

    const onVisible = () => {
      if (document.visibilityState === 'visible') void look()
    }
    const onOnline = () => {
      keeper.connected()
      void look()
    }
    document.addEventListener('visibilitychange', onVisible)
    window.addEventListener('online', onOnline)
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
      window.removeEventListener('online', onOnline)
    }
  }, [data, isRenewable, isPageRenewing, revalidate])
}
