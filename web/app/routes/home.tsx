import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useFetcher, useLoaderData } from '@remix-run/react'
import { useMemo, useState } from 'react'
import { PlayButton } from '../components/play-button.tsx'
import { TrackCard } from '../components/track-card.tsx'
import { asking } from '../lib/api.server.ts'
import { playable } from '../lib/tracks.ts'

const PAGE_TRACKS = 24

export const meta: MetaFunction = () => [
  { title: 'Mist' },
  { name: 'description', content: 'Music, streamed from a house of its own.' },
]

export async function loader({ request, context }: LoaderFunctionArgs) {
  const cursor = new URL(request.url).searchParams.get('cursor')
  return asking({ request, context }, (api) =>
    api.tracks({ limit: PAGE_TRACKS, ...(cursor ? { cursor } : {}) }),
  )
}

/** The first page as the server told it, and those that were asked for since. */
function usePages() {
  const first = useLoaderData<typeof loader>()
  const fetcher = useFetcher<typeof loader>()
  const [told, setTold] = useState({ first, last: fetcher.data, pages: [first] })
  // Adjusted while rendering, so that no page is drawn without what has just come.
  if (told.first !== first) setTold({ first, last: fetcher.data, pages: [first] })
  else if (fetcher.data && told.last !== fetcher.data) {
    setTold({ first, last: fetcher.data, pages: [...told.pages, fetcher.data] })
  }
  const { pages } = told
  const tracks = useMemo(() => pages.flatMap(({ items }) => items.map(playable)), [pages])
  return {
    tracks,
    nextCursor: pages.at(-1)?.nextCursor ?? null,
    isLoading: fetcher.state !== 'idle',
    more: (cursor: string) => fetcher.load(`/?index&cursor=${encodeURIComponent(cursor)}`),
  }
}

export default function Home() {
  const { tracks, nextCursor, isLoading, more } = usePages()
  if (tracks.length === 0) {
    return (
      <section className="mx-auto max-w-lg px-6 py-24 text-center">
        <h1 className="font-serif text-3xl">Quiet, for now.</h1>
        <p className="mt-4 text-pretty text-haze">
          There is no music here yet. What the keepers upload appears on this page a few seconds
          later.
        </p>
      </section>
    )
  }
  return (
    <div className="mx-auto max-w-6xl px-4 pt-6 pb-12 sm:px-8 sm:pt-10">
      <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-5">
        <div>
          <p className="eyebrow">The catalogue</p>
          <h1 className="mt-2 font-serif text-4xl tracking-tight text-balance sm:text-5xl">
            Newly come out of the fog
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
              // With a modified click it is a link like any other, as it is without JavaScript.
              if (event.ctrlKey || event.metaKey || event.shiftKey) return
              event.preventDefault()
              if (!isLoading) more(nextCursor)
            }}
          >
            {isLoading ? 'More is coming…' : 'More music'}
          </Link>
        </p>
      )}
    </div>
  )
}
