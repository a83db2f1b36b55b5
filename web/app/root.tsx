import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import {
  Links,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  useRouteError,
  useRouteLoaderData,
} from '@remix-run/react'
import type { ReactNode } from 'react'
import { useNonce } from './components/nonce.ts'
import { PlayerBar } from './components/player-bar.tsx'
import { ProblemPage } from './components/problem-page.tsx'
import { isRenewing, RenewingPage } from './components/renewing-page.tsx'
import { SiteFooter } from './components/site-footer.tsx'
import { SiteHeader } from './components/site-header.tsx'
import { UploadIndicator } from './components/upload-indicator.tsx'
import { read } from './lib/api.ts'
import { accessEndsAt, apiFor, mayRefresh } from './lib/api.server.ts'
import type { RootData } from './lib/root-data.ts'
import { isRefusal } from './lib/problem.ts'
import { useAuthSessionRenewal } from './lib/use-auth-session-renewal.ts'
import './tailwind.css'

export const meta: MetaFunction = () => [
  { title: 'Mist' },
  {
    name: 'description',
    content:
      'Listen to music in your browser: browse the newest tracks, and find more that sound alike.',
  },
]

export async function loader({ request, context }: LoaderFunctionArgs): Promise<RootData> {
  const endsAtMs = accessEndsAt(request)
  const anonymous = { user: null, access: null, isRenewable: mayRefresh(request) }
  // By this server's clock: the browser gets the remaining time, because its own clock may be wrong.
  const leftMs = (endsAtMs ?? 0) - Date.now()
  if (endsAtMs === null || leftMs <= 0) return anonymous
  const access = { endsAtMs, leftMs }
  try {
    const { user } = await read(apiFor({ request, context }).auth.me.$get())
    return { user, access, isRenewable: false }
  } catch (error) {
    // The catalogue is public: it is shown even if the account cannot be read.
    if (isRefusal(error)) {
      return error.problem.status === 401 ? anonymous : { ...anonymous, access }
    }
    throw error
  }
}

export function Layout({ children }: { children: ReactNode }) {
  const nonce = useNonce()
  const data = useRouteLoaderData<typeof loader>('root')
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="theme-color" content="#0c0e12" />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="manifest" href="/site.webmanifest" />
        <Meta />
        <Links />
      </head>
      <body className="flex flex-col pb-[calc(6.5rem+env(safe-area-inset-bottom))]">
        <a
          href="#content"
          className="button-lamp fixed top-2 left-2 z-50 -translate-y-24 focus:translate-y-0"
        >
          Skip to content
        </a>
        <SiteHeader user={data?.user ?? null} />
        <main id="content" tabIndex={-1} className="grow outline-none">
          {children}
        </main>
        <SiteFooter />
        <UploadIndicator />
        <PlayerBar userId={data?.user?.id ?? null} />
        <ScrollRestoration nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  )
}

export default function App() {
  useAuthSessionRenewal({ isPageRenewing: false })
  return <Outlet />
}

export function ErrorBoundary() {
  const isPageRenewing = isRenewing(useRouteError())
  useAuthSessionRenewal({ isPageRenewing })
  return isPageRenewing ? <RenewingPage /> : <ProblemPage />
}
