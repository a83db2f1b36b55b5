import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useLoaderData } from '@remix-run/react'
import { useMemo } from 'react'
import { Attribution } from '../components/attribution.tsx'
import { Cover } from '../components/cover.tsx'
import { PlayButton } from '../components/play-button.tsx'
import { TrackCard } from '../components/track-card.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import type { Track } from '../lib/api-types.ts'
import { ApiRefusal } from '../lib/problem.ts'
import { formatClock, formatSpoken } from '../lib/format.ts'
import { artistLine, playable } from '../lib/tracks.ts'

const MAX_SIMILAR = 10

export const meta: MetaFunction<typeof loader> = ({ data }) => {
  if (!data) return [{ title: 'Mist' }]
  const { track } = data
  const album = track.album ? ` from ${track.album.title}` : ''
  const description = `Listen to ${track.title} by ${artistLine(track)}${album}, and to tracks that sound alike.`
  return [
    { title: `${track.title}, ${artistLine(track)} · Mist` },
    { name: 'description', content: description },
  ]
}

export async function loader({ request, context, params }: LoaderFunctionArgs) {
  const id = params['trackId'] ?? ''
  return asking({ request, context }, async (api) => {
    const [track, similar] = await Promise.all([
      read(api.tracks[':id'].$get({ param: { id } })),
      // The page is still useful without similar tracks.
      read(
        api.tracks[':id'].similar.$get({ param: { id }, query: { limit: String(MAX_SIMILAR) } }),
      ).catch((error: unknown) => {
        if (error instanceof ApiRefusal) return { items: [] }
        throw error
      }),
    ])
    return { track, similar: similar.items }
  })
}

function Facts({ track }: { track: Track }) {
  const facts: [string, string, string?][] = [
    ['Length', formatClock(track.durationS), formatSpoken(track.durationS)],
    ...(track.tempoBpm === null
      ? []
      : [['Tempo', `${Math.round(track.tempoBpm)} BPM`] satisfies [string, string]]),
    ...(track.loudnessLufs === null
      ? []
      : [['Loudness', `${track.loudnessLufs.toFixed(1)} LUFS`] satisfies [string, string]]),
    ...(track.year === null ? [] : [['Year', String(track.year)] satisfies [string, string]]),
  ]
  return (
    <dl className="mt-8 flex flex-wrap gap-x-10 gap-y-4">
      {facts.map(([name, value, spoken]) => (
        <div key={name}>
          <dt className="eyebrow">{name}</dt>
          <dd className="mt-1 text-lg tabular-nums" aria-label={spoken}>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  )
}

export default function TrackPage() {
  const { track, similar } = useLoaderData<typeof loader>()
  const similarTracks = useMemo(() => similar.map((each) => playable(each.track)), [similar])
  const all = useMemo(() => [playable(track), ...similarTracks], [track, similarTracks])
  return (
    <div className="mx-auto max-w-6xl px-4 pt-4 pb-12 sm:px-8 sm:pt-8">
      <article className="grid gap-8 sm:grid-cols-[minmax(0,19rem)_minmax(0,1fr)] sm:items-center sm:gap-12">
        <Cover
          id={track.id}
          urls={track.coverUrls}
          sizes="(min-width: 40rem) 19rem, 92vw"
          isEager
          className="rounded-2xl shadow-2xl ring-1 shadow-black/50 ring-white/5 max-sm:mx-auto max-sm:w-4/5"
        />
        <div className="min-w-0">
          <p className="eyebrow">Track</p>
          <h1 className="mt-2 font-serif text-3xl tracking-tight text-balance break-words sm:text-5xl">
            {track.title}
          </h1>
          <p className="mt-3 text-lg text-haze">
            {track.artists.length === 0 ? artistLine(track) : null}
            {track.artists.map(({ id, name }, index) => (
              <span key={id}>
                {index > 0 ? ', ' : null}
                <Link to={`/artists/${id}`} className="link">
                  {name}
                </Link>
              </span>
            ))}
            {track.album ? (
              <>
                {' · '}
                <Link to={`/albums/${track.album.id}`} className="link">
                  {track.album.title}
                </Link>
              </>
            ) : null}
          </p>
          {track.genres.length > 0 ? (
            <ul className="mt-4 flex flex-wrap gap-2">
              {track.genres.map((genre) => (
                <li
                  key={genre}
                  className="rounded-full border border-edge px-3 py-1 text-xs text-haze"
                >
                  {genre}
                </li>
              ))}
            </ul>
          ) : null}
          <p className="mt-7">
            <PlayButton tracks={all} index={0} className="button-lamp min-w-32" label="Play" />
          </p>
          <Facts track={track} />
          {track.attribution ? (
            <p className="mt-6 max-w-prose text-sm text-pretty text-dim">
              <Attribution text={track.attribution} />
            </p>
          ) : null}
        </div>
      </article>
      {similarTracks.length > 0 ? (
        <section aria-labelledby="similar" className="mt-16">
          <h2 id="similar" className="font-serif text-2xl">
            Sounds alike
          </h2>
          <ul className="mt-5 grid grid-cols-2 gap-x-4 gap-y-7 sm:grid-cols-3 sm:gap-x-6 md:grid-cols-4 lg:grid-cols-5">
            {similarTracks.map((each, index) => (
              <li key={each.id} className="min-w-0">
                <TrackCard tracks={similarTracks} index={index} />
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  )
}
