import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useLoaderData } from '@remix-run/react'
import { useMemo } from 'react'
import { Cover } from '../components/cover.tsx'
import { PlayButton } from '../components/play-button.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import { countOf } from '../lib/catalogue.ts'
import { formatClock } from '../lib/format.ts'
import { artistLine, playable } from '../lib/tracks.ts'

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: data ? `${data.title}, ${artistLine(data)} · Mist` : 'Mist' },
  ...(data
    ? [{ name: 'description', content: `Listen to ${data.title} by ${artistLine(data)}.` }]
    : []),
]

export async function loader({ request, context, params }: LoaderFunctionArgs) {
  return asking({ request, context }, (api) =>
    read(api.albums[':id'].$get({ param: { id: params['albumId'] ?? '' } })),
  )
}

export default function AlbumPage() {
  const album = useLoaderData<typeof loader>()
  const tracks = useMemo(() => album.tracks.map(playable), [album])
  return (
    <div className="mx-auto max-w-6xl px-4 pt-4 pb-12 sm:px-8 sm:pt-8">
      <div className="grid gap-8 sm:grid-cols-[minmax(0,19rem)_minmax(0,1fr)] sm:gap-12">
        <Cover
          id={album.id}
          urls={album.coverUrls}
          sizes="(min-width: 40rem) 19rem, 92vw"
          isEager
          className="self-start rounded-2xl shadow-2xl ring-1 shadow-black/50 ring-white/5 max-sm:mx-auto max-sm:w-4/5"
        />
        <div className="min-w-0">
          <p className="eyebrow">Album</p>
          <h1 className="mt-2 font-serif text-3xl tracking-tight text-balance break-words sm:text-5xl">
            {album.title}
          </h1>
          <p className="mt-3 text-lg text-haze">
            {album.artists.map(({ id, name }, index) => (
              <span key={id}>
                {index > 0 ? ', ' : null}
                <Link to={`/artists/${id}`} className="link">
                  {name}
                </Link>
              </span>
            ))}
          </p>
          <p className="mt-1 text-haze">
            {[
              ...(album.year === null ? [] : [String(album.year)]),
              countOf(album.trackCount, 'track'),
              formatClock(album.durationS),
            ].join(' · ')}
          </p>
          <p className="mt-7">
            <PlayButton tracks={tracks} index={0} className="button-lamp min-w-32" label="Play" />
          </p>
          <ol className="mt-8 divide-y divide-edge/70">
            {album.tracks.map((track) => (
              <li key={track.id} className="flex min-h-12 items-center gap-4">
                <span className="w-6 shrink-0 text-right text-dim tabular-nums">
                  {track.trackNumber ?? '·'}
                </span>
                <Link to={`/tracks/${track.id}`} className="link truncate">
                  {track.title}
                </Link>
                <span className="ml-auto shrink-0 text-sm text-haze tabular-nums">
                  {formatClock(track.durationS)}
                </span>
              </li>
            ))}
          </ol>
        </div>
      </div>
    </div>
  )
}
