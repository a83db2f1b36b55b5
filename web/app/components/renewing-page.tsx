import { Link, isRouteErrorResponse, useLocation } from '@remix-run/react'
import { textAt } from '../lib/problem.ts'
import { signInPath } from '../lib/return-path.ts'
import { usePageRenewal } from '../lib/use-page-renewal.ts'
import type { PageRenewal } from '../lib/use-page-renewal.ts'

/** Tells whether a page was refused only because the auth session has to be refreshed first. */
export function isRenewing(error: unknown): boolean {
  return isRouteErrorResponse(error) && textAt(error.data, 'code') === 'renewing'
}

/** "in 8 seconds", "in 2 minutes" */
function formatDelay(inS: number): string {
  if (inS < 2) return 'in a second'
  return inS < 100 ? `in ${inS} seconds` : `in ${Math.round(inS / 60)} minutes`
}

function Message({ state }: { state: PageRenewal }) {
  switch (state.kind) {
    case 'renewing':
      return (
        <>
          <h1 className="font-serif text-2xl">One moment…</h1>
          <p className="mt-3 text-haze">We are checking that you are still signed in.</p>
        </>
      )
    case 'waiting':
      return (
        <>
          <h1 className="font-serif text-2xl">We cannot check your sign-in right now.</h1>
          <p className="mt-3 text-pretty text-haze">{state.detail}</p>
          <p className="mt-3 text-pretty text-haze">
            You are still signed in. This page tries again {formatDelay(state.inS)}.
          </p>
        </>
      )
    case 'stuck':
      return (
        <>
          <h1 className="font-serif text-2xl">You could not be kept signed in.</h1>
          <p className="mt-3 text-pretty text-haze">
            Your browser did not keep our cookies. Allow cookies for this site, then sign in again.
          </p>
        </>
      )
  }
}

/** Shown instead of a page while the auth session that it needs is refreshed. */
export function RenewingPage() {
  const { pathname, search } = useLocation()
  const state = usePageRenewal()
  const signInAgain = (
    <Link to={signInPath(pathname + search)} className="link">
      Sign in again
    </Link>
  )
  return (
    <section className="mx-auto max-w-lg px-6 py-24 text-center">
      <div aria-live="polite">
        <Message state={state} />
      </div>
      <p className="mt-8 text-sm">
        {state.kind === 'renewing' ? <noscript>{signInAgain}</noscript> : signInAgain}
      </p>
    </section>
  )
}
