import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useLoaderData } from '@remix-run/react'
import { Attribution } from '../components/attribution.tsx'
import { read } from '../lib/api.ts'
import type { Credit, Page } from '../lib/api-types.ts'
import { asking } from '../lib/api.server.ts'
import { artistLine } from '../lib/tracks.ts'

export const meta: MetaFunction = () => [
  { title: 'Credits · Mist' },
  { name: 'description', content: 'Who made the music on Mist, and under which licences.' },
]

/** Credits per page of ours. */
const PER_PAGE = 5000

/** Credits per response of the API. */
const PER_ANSWER = 1000

export async function loader({ request, context }: LoaderFunctionArgs) {
  return asking({ request, context }, async (api) => {
    const tracks: Credit[] = []
    let cursor: string | null = new URL(request.url).searchParams.get('after')
    const isFirst = cursor === null
    do {
      const query = { limit: String(PER_ANSWER), ...(cursor && { cursor }) }
      const page: Page<Credit> = await read(api.credits.index.$get({ query }))
      tracks.push(...page.items)
      cursor = page.nextCursor
    } while (cursor !== null && tracks.length < PER_PAGE)
    return { tracks, isFirst, next: cursor }
  })
}

export default function Credits() {
  const { tracks, isFirst, next } = useLoaderData<typeof loader>()
  return (
    <div className="mx-auto max-w-3xl px-4 py-8 sm:px-8 sm:py-12">
      <h1 className="font-serif text-4xl tracking-tight">Credits</h1>
      <p className="mt-3 text-pretty text-haze">
        {tracks.length > 0 || !isFirst
          ? 'Some of the music here is shared under licences that ask for credit. Thank you to everyone who made it:'
          : 'None of the music here needs a credit.'}
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
              <Attribution text={track.attribution} />
            </p>
          </li>
        ))}
      </ul>
      {next !== null && (
        <p className="mt-8">
          <Link to={`/credits?after=${encodeURIComponent(next)}`} className="link">
            More credits
          </Link>
        </p>
      )}
    </div>
  )
}
