import { Link } from '@remix-run/react'

/** Leads to the next page of a list, where there is one. */
export function MoreLink({ cursor }: { cursor: string | null }) {
  if (cursor === null) return null
  return (
    <p className="mt-10 text-center">
      <Link to={`?cursor=${encodeURIComponent(cursor)}`} className="button-quiet">
        More music
      </Link>
    </p>
  )
}
