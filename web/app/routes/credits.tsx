import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useLoaderData } from '@remix-run/react'
import { Attribution } from '../components/attribution.tsx'
import { asking } from '../lib/api.server.ts'
import type { Track } from '../lib/api-types.ts'
import { artistLine } from '../lib/tracks.ts'

export const meta: MetaFunction = () => [{ title: 'Credits · Mist' }]

/** Pages of the catalogue that are looked through for attributions; 500 tracks. */
const LONGEST_WALK = 5

export async function loader({ request, context }: LoaderFunctionArgs) {
  return asking({ request, context }, async (api) => {
    const tracks: Track[] = []
    let cursor: string | null = null
    for (let page = 0; page < LONGEST_WALK; page++) {
      const answer = await api.tracks({ limit: 100, ...(cursor ? { cursor } : {}) })
      tracks.push(...answer.items.filter(({ attribution }) => attribution !== null))
      cursor = answer.nextCursor
      if (cursor === null) break
    }
    return { tracks }
  })
}

export default function Credits() {
  const { tracks } = useLoaderData<typeof loader>()
  return (
    <div className="mx-auto max-w-3xl px-4 py-8 sm:px-8 sm:py-12">
      <h1 className="font-serif text-4xl tracking-tight">Credits</h1>
      <p className="mt-3 text-pretty text-haze">
        {tracks.length > 0
          ? 'Some of the music here is shared under licences that ask for its makers to be named. Gladly:'
          : 'None of the music here asks for a credit of its own.'}
      </p>
      <ul className="mt-8 divide-y divide-edge/70">
        {tracks.map((track) => (
          <li key={track.id} className="py-4">
            <p className="font-serif text-lg">
              <Link to={`/tracks/${track.id}`} className="link">
                {track.title}
              </Link>
              <span className="font-sans text-sm text-haze"> · {artistLine(track)}</span>
            </p>
            <p className="mt-1 text-sm text-pretty text-haze">
              <Attribution text={track.attribution ?? ''} />
            </p>
          </li>
        ))}
      </ul>
    </div>
  )
}
