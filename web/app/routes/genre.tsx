import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { useLoaderData } from '@remix-run/react'
import { MoreLink } from '../components/more-link.tsx'
import { TrackGrid } from '../components/track-grid.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: data ? `${data.name} · Mist` : 'Mist' },
  ...(data ? [{ name: 'description', content: `${data.name} on Mist, the newest first.` }] : []),
]

export async function loader({ request, context, params }: LoaderFunctionArgs) {
  const slug = params['slug'] ?? ''
  const cursor = new URL(request.url).searchParams.get('cursor')
  return asking({ request, context }, async (api) => {
    const query = { genre: slug, ...(cursor !== null && { cursor }) }
    const [genres, tracks] = await Promise.all([
      read(api.genres.index.$get()),
      read(api.tracks.index.$get({ query })),
    ])
    const genre = genres.items.find((each) => each.slug === slug)
    if (genre === undefined && tracks.items.length === 0) throw new Response(null, { status: 404 })
    return { name: genre?.name ?? slug, tracks }
  })
}

export default function GenrePage() {
  const { name, tracks } = useLoaderData<typeof loader>()
  return (
    <div className="mx-auto max-w-6xl px-4 py-8 sm:px-8 sm:py-12">
      <p className="eyebrow">Genre</p>
      <h1 className="mt-2 font-serif text-4xl tracking-tight text-balance break-words sm:text-5xl">
        {name}
      </h1>
      <TrackGrid tracks={tracks.items} />
      <MoreLink cursor={tracks.nextCursor} />
    </div>
  )
}
