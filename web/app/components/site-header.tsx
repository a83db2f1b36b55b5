import { Form, Link, NavLink, useLocation } from '@remix-run/react'
import { ChevronDown, History, LogOut, Search, Upload, UserRound } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import type { User } from '../lib/api-types.ts'
import { returnQuery } from '../lib/return-path.ts'
import { Wordmark } from './wordmark.tsx'

const ITEM =
  'flex min-h-11 w-full items-center gap-3 rounded-lg px-3 text-sm text-fog outline-none data-highlighted:bg-edge'

function AccountMenu({ user }: { user: User }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button-quiet max-w-44 pr-3 pl-4">
        <UserRound className="size-4 shrink-0 text-lamp" aria-hidden="true" />
        <span className="truncate">{user.username}</span>
        <ChevronDown className="size-4 shrink-0 text-dim" aria-hidden="true" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={8}
          className="z-40 w-56 rounded-xl border border-edge bg-slate p-1.5 shadow-2xl shadow-black/60"
        >
          <DropdownMenu.Item asChild className={ITEM}>
            <Link to="/account">
              <UserRound className="size-4 text-dim" aria-hidden="true" /> Account
            </Link>
          </DropdownMenu.Item>
          <DropdownMenu.Item asChild className={ITEM}>
            <Link to="/history">
              <History className="size-4 text-dim" aria-hidden="true" /> History
            </Link>
          </DropdownMenu.Item>
          {user.role === 'admin' ? (
            <DropdownMenu.Item asChild className={ITEM}>
              <Link to="/admin/upload">
                <Upload className="size-4 text-dim" aria-hidden="true" /> Upload
              </Link>
            </DropdownMenu.Item>
          ) : null}
          <DropdownMenu.Separator className="my-1.5 h-px bg-edge" />
          <Form method="post" action="/logout">
            <DropdownMenu.Item
              asChild
              className={ITEM}
              onSelect={(event) => event.preventDefault()}
            >
              <button type="submit">
                <LogOut className="size-4 text-dim" aria-hidden="true" /> Sign out
              </button>
            </DropdownMenu.Item>
          </Form>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

/** The header of every page: home, and the user's menu or the ways to sign in. */
export function SiteHeader({ user }: { user: User | null }) {
  const query = returnQuery(useLocation())
  return (
    <header className="mx-auto flex w-full max-w-6xl items-center gap-4 px-4 py-4 sm:px-8">
      <Link to="/" aria-label="Mist, home" className="rounded-lg">
        <Wordmark />
      </Link>
      <nav aria-label="Site" className="ml-auto flex items-center gap-2">
        <NavLink
          to="/search"
          className="flex min-h-11 min-w-11 items-center justify-center gap-2 rounded-full px-3 text-sm text-haze transition-colors hover:text-fog aria-[current=page]:text-fog"
        >
          <Search className="size-4" aria-hidden="true" />
          <span className="max-sm:sr-only">Search</span>
        </NavLink>
        {user?.role === 'admin' ? (
          <NavLink
            to="/admin/upload"
            className="hidden min-h-11 items-center gap-2 rounded-full px-4 text-sm text-haze transition-colors hover:text-fog aria-[current=page]:text-fog sm:flex"
          >
            <Upload className="size-4" aria-hidden="true" /> Upload
          </NavLink>
        ) : null}
        {user ? (
          <AccountMenu user={user} />
        ) : (
          <>
            <Link
              to={`/login${query}`}
              className="grid min-h-11 place-items-center rounded-full px-4 text-sm text-haze transition-colors hover:text-fog"
            >
              Sign in
            </Link>
            <Link to={`/register${query}`} className="button-quiet">
              Register
            </Link>
          </>
        )}
      </nav>
    </header>
  )
}
