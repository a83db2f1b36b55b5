import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { useLoaderData } from '@remix-run/react'
import { LinkGrid } from '../components/link-grid.tsx'
import { MoreLink } from '../components/more-link.tsx'
import { TrackGrid } from '../components/track-grid.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import { albumCard, countOf } from '../lib/catalogue.ts'

/** Albums that the page shows: more than most artists have. */
const ALBUMS = '100'

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: data ? `${data.artist.name} · Mist` : 'Mist' },
  ...(data ? [{ name: 'description', content: `Music by ${data.artist.name} on Mist.` }] : []),
]

export async function loader({ request, context, params }: LoaderFunctionArgs) {
  const param = { id: params['artistId'] ?? '' }
  const cursor = new URL(request.url).searchParams.get('cursor')
  return asking({ request, context }, async (api) => {
    const artist = api.artists[':id']
    const [shown, albums, tracks] = await Promise.all([
      read(artist.$get({ param })),
      read(artist.albums.$get({ param, query: { limit: ALBUMS } })),
      read(artist.tracks.$get({ param, query: cursor === null ? {} : { cursor } })),
    ])
    return { artist: shown, albums: albums.items, tracks }
  })
}

export default function ArtistPage() {
  const { artist, albums, tracks } = useLoaderData<typeof loader>()
  return (
    <div className="mx-auto max-w-6xl px-4 py-8 sm:px-8 sm:py-12">
      <p className="eyebrow">Artist</p>
      <h1 className="mt-2 font-serif text-4xl tracking-tight text-balance break-words sm:text-5xl">
        {artist.name}
      </h1>
      <p className="mt-3 text-haze">
        {[countOf(artist.trackCount, 'track'), ...artist.genres].join(' · ')}
      </p>
      {albums.length > 0 ? (
        <section className="mt-10">
          <h2 className="font-serif text-2xl">Albums</h2>
          <LinkGrid cards={albums.map(albumCard)} />
        </section>
      ) : null}
      <section className="mt-10">
        <h2 className="font-serif text-2xl">Tracks</h2>
        <TrackGrid tracks={tracks.items} />
        <MoreLink cursor={tracks.nextCursor} />
      </section>
    </div>
  )
}
