import { Link } from '@remix-run/react'

/** The footer of every page. */
export function SiteFooter() {
  return (
    <footer className="mx-auto flex w-full max-w-6xl gap-6 px-4 py-8 text-sm text-dim sm:px-8">
      <Link to="/credits" className="transition-colors hover:text-fog">
        Credits
      </Link>
      <a href="/api/v1/docs" className="transition-colors hover:text-fog">
        API
      </a>
    </footer>
  )
}
