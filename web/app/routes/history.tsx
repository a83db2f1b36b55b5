import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useLoaderData } from '@remix-run/react'
import { useMemo } from 'react'
import { Cover } from '../components/cover.tsx'
import { LocalTime } from '../components/local-time.tsx'
import { PlayButton } from '../components/play-button.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import { formatDuration } from '../lib/format.ts'
import { playable } from '../lib/tracks.ts'

export const meta: MetaFunction = () => [{ title: 'History · Mist' }]

const PAGE_PLAYS = 40

export async function loader({ request, context }: LoaderFunctionArgs) {
  const cursor = new URL(request.url).searchParams.get('cursor')
  return asking({ request, context }, (api) =>
    read(api.me.history.$get({ query: { limit: String(PAGE_PLAYS), ...(cursor && { cursor }) } })),
  )
}

export default function History() {
  const { items, nextCursor } = useLoaderData<typeof loader>()
  const tracks = useMemo(() => items.map(({ track }) => playable(track)), [items])
  return (
    <div className="mx-auto max-w-3xl px-4 pt-6 pb-12 sm:px-8 sm:pt-10">
      <h1 className="font-serif text-4xl tracking-tight">History</h1>
      <p className="mt-3 text-haze">
        {items.length > 0
          ? 'Tracks you listened to, newest first. A play counts after 30 seconds, or half of a shorter track.'
          : 'Nothing yet. Tracks appear here once you have listened for 30 seconds, or to half of a shorter track.'}
      </p>
      <ul className="mt-6 divide-y divide-edge/70">
        {items.map(({ sessionId, startedAt, heardS, completed }, index) => {
          const track = tracks[index]
          if (!track) return null
          return (
            <li key={sessionId} className="flex items-center gap-4 py-3">
              <Cover
                id={track.id}
                urls={track.coverUrls}
                sizes="3.5rem"
                className="size-14 shrink-0 rounded-lg"
              />
              <div className="min-w-0 grow">
                <p className="truncate font-serif text-lg leading-snug">
                  <Link to={`/tracks/${track.id}`} className="hover:underline">
                    {track.title}
                  </Link>
                </p>
                <p className="truncate text-sm text-haze">{track.artists}</p>
                <p className="truncate text-xs text-dim">
                  <LocalTime at={startedAt} /> · {completed ? 'to the end' : formatDuration(heardS)}
                </p>
              </div>
              <PlayButton
                tracks={tracks}
                index={index}
                className="icon-button border border-edge text-fog"
              />
            </li>
          )
        })}
      </ul>
      {nextCursor === null ? null : (
        <p className="mt-8 text-center">
          <Link to={`/history?cursor=${encodeURIComponent(nextCursor)}`} className="button-quiet">
            Earlier
          </Link>
        </p>
      )}
    </div>
  )
}
