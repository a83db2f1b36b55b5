import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useFetcher, useLoaderData } from '@remix-run/react'
import { useMemo, useState } from 'react'
import { PlayButton } from '../components/play-button.tsx'
import { TrackCard } from '../components/track-card.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import { playable } from '../lib/tracks.ts'

const PAGE_TRACKS = 24

export const meta: MetaFunction = () => [
  { title: 'Mist' },
  {
    name: 'description',
    content:
      'Listen to music in your browser: browse the newest tracks, and find more that sound alike.',
  },
]

export async function loader({ request, context }: LoaderFunctionArgs) {
  const cursor = new URL(request.url).searchParams.get('cursor')
  return asking({ request, context }, (api) =>
    read(
      api.tracks.index.$get({ query: { limit: String(PAGE_TRACKS), ...(cursor && { cursor }) } }),
    ),
  )
}

/** The first page, rendered on the server, and those loaded since. */
function usePages() {
  const first = useLoaderData<typeof loader>()
  const fetcher = useFetcher<typeof loader>()
  const [loaded, setLoaded] = useState({ first, last: fetcher.data, pages: [first] })
  // Set while rendering, so that no render misses a page that has just arrived.
  if (loaded.first !== first) setLoaded({ first, last: fetcher.data, pages: [first] })
  else if (fetcher.data && loaded.last !== fetcher.data) {
    setLoaded({ first, last: fetcher.data, pages: [...loaded.pages, fetcher.data] })
  }
  const { pages } = loaded
  const tracks = useMemo(() => pages.flatMap(({ items }) => items.map(playable)), [pages])
  return {
    tracks,
    nextCursor: pages.at(-1)?.nextCursor ?? null,
    isLoading: fetcher.state !== 'idle',
    loadMore: (cursor: string) => fetcher.load(`/?index&cursor=${encodeURIComponent(cursor)}`),
  }
}

export default function Home() {
  const { tracks, nextCursor, isLoading, loadMore } = usePages()
  if (tracks.length === 0) {
    return (
      <section className="mx-auto max-w-lg px-6 py-24 text-center">
        <h1 className="font-serif text-3xl">No music yet</h1>
        <p className="mt-4 text-pretty text-haze">
          New tracks appear here a few seconds after an admin has uploaded them.
        </p>
      </section>
    )
  }
  return (
    <div className="mx-auto max-w-6xl px-4 pt-6 pb-12 sm:px-8 sm:pt-10">
      <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-5">
        <div>
          <p className="eyebrow">Catalogue</p>
          <h1 className="mt-2 font-serif text-4xl tracking-tight text-balance sm:text-5xl">
            New music
          </h1>
        </div>
        <PlayButton tracks={tracks} index={0} className="button-lamp" label="Play all" />
      </div>
      <ul className="mt-8 grid grid-cols-2 gap-x-4 gap-y-7 sm:grid-cols-3 sm:gap-x-6 md:grid-cols-4 lg:grid-cols-5">
        {tracks.map((track, index) => (
          <li key={track.id} className="min-w-0">
            <TrackCard tracks={tracks} index={index} isEager={index < 5} />
          </li>
        ))}
      </ul>
      {nextCursor === null ? null : (
        <p className="mt-10 text-center">
          <Link
            to={`/?cursor=${encodeURIComponent(nextCursor)}`}
            className="button-quiet"
            aria-disabled={isLoading}
            onClick={(event) => {
              // With a modifier key, and without JavaScript, it works like any other link.
              if (event.ctrlKey || event.metaKey || event.shiftKey) return
              event.preventDefault()
              if (!isLoading) loadMore(nextCursor)
            }}
          >
            {isLoading ? 'Loading…' : 'More music'}
          </Link>
        </p>
      )}
    </div>
  )
}
