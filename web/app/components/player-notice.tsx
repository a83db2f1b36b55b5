import { Link, useLocation } from '@remix-run/react'
import { X } from 'lucide-react'
import { returnQuery } from '../lib/return-path.ts'
import { messageOf } from '../player/refusals.ts'
import { dispatch, usePlayer } from '../player/store.ts'
import type { Refusal } from '../player/machine.ts'

function Actions({ refusal }: { refusal: Refusal }) {
  const query = returnQuery(useLocation())
  switch (refusal.kind) {
    case 'exhausted':
      return (
        <Link to="/account" className="button-lamp">
          See plans
        </Link>
      )
    case 'superseded':
      return (
        <button type="button" className="button-lamp" onClick={() => dispatch({ type: 'play' })}>
          Play here
        </button>
      )
    case 'signed-out':
      return (
        <>
          <Link to={`/login${query}`} className="button-lamp">
            Sign in
          </Link>
          <Link to={`/register${query}`} className="button-quiet max-xs:hidden">
            Register
          </Link>
        </>
      )
    case 'failed':
      return (
        <button type="button" className="button-lamp" onClick={() => dispatch({ type: 'play' })}>
          Try again
        </button>
      )
  }
}

/** Says why the music stopped, or is about to, and what to do. */
export function PlayerNotice() {
  const phase = usePlayer((state) => state.phase)
  const refusal = phase.kind === 'refused' || phase.kind === 'fading' ? phase.refusal : null
  const message = refusal ? messageOf(refusal) : null
  return (
    <div role="status" aria-live="polite">
      {refusal && message ? (
        <div className="border-b border-edge/80 bg-slate">
          <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-6 gap-y-3 px-4 py-4 sm:px-8">
            <div className="min-w-0 grow basis-72">
              <p className="font-serif text-lg leading-snug">{message.title}</p>
              <p className="mt-0.5 text-sm text-pretty text-haze">{message.body}</p>
            </div>
            {phase.kind === 'refused' ? (
              <div className="flex items-center gap-2">
                <Actions refusal={refusal} />
                <button
                  type="button"
                  className="icon-button"
                  aria-label="Close this message"
                  onClick={() => dispatch({ type: 'dismiss' })}
                >
                  <X className="size-5" aria-hidden="true" />
                </button>
              </div>
            ) : null}
          </div>
        </div>
      ) : null}
    </div>
  )
}
