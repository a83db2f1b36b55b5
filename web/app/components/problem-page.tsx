import { Link, isRouteErrorResponse, useRouteError } from '@remix-run/react'
import { textAt } from '../lib/problem.ts'

type Message = { status: number; title: string; body: string; requestId: string | null }

const TITLES: Record<number, string> = {
  403: 'This page is for admins.',
  404: 'There is nothing here.',
  503: 'Mist cannot be reached right now.',
}

function messageOf(error: unknown): Message {
  if (!isRouteErrorResponse(error)) {
    return {
      status: 500,
      title: 'Something went wrong on our side.',
      body: 'Nothing is lost. Try again in a moment.',
      requestId: null,
    }
  }
  const body = textAt(error.data, 'detail')
  return {
    status: error.status,
    title: TITLES[error.status] ?? textAt(error.data, 'title') ?? 'That did not work.',
    body:
      error.status === 404
        ? 'The address may be old or mistyped, or the track was taken down.'
        : (body ?? 'Try again in a moment.'),
    requestId: error.status >= 500 ? textAt(error.data, 'requestId') : null,
  }
}

/** Shown instead of a page that failed: what happened, and where to go from here. */
export function ProblemPage() {
  const error = useRouteError()
  const { status, title, body, requestId } = messageOf(error)
  return (
    <section className="mx-auto max-w-lg px-6 py-20 text-center sm:py-28">
      <p className="eyebrow">{status}</p>
      <h1 className="mt-3 font-serif text-3xl text-balance">{title}</h1>
      <p className="mt-4 text-pretty text-haze">{body}</p>
      {requestId ? (
        <p className="mt-3 text-sm text-dim">
          If you report this, include the request's ID: <code>{requestId}</code>
        </p>
      ) : null}
      <p className="mt-8">
        <Link to="/" className="button-lamp">
          Go to the home page
        </Link>
      </p>
    </section>
  )
}
