import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { Link, useLoaderData } from '@remix-run/react'
import type { ReactNode } from 'react'
import { LinkGrid } from '../components/link-grid.tsx'
import { SearchBox } from '../components/search-box.tsx'
import { TrackGrid } from '../components/track-grid.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import { albumCard, artistCard, countOf } from '../lib/catalogue.ts'

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: data?.text ? `${data.text} · Search · Mist` : 'Search · Mist' },
  { name: 'description', content: 'Find tracks, artists and albums on Mist.' },
]

export async function loader({ request, context }: LoaderFunctionArgs) {
  const text = (new URL(request.url).searchParams.get('q') ?? '').trim()
  return asking({ request, context }, async (api) =>
    text === ''
      ? { text, found: null, genres: (await read(api.genres.index.$get())).items }
      : { text, found: await read(api.search.index.$get({ query: { q: text } })), genres: [] },
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="mt-10">
      <h2 className="font-serif text-2xl">{title}</h2>
      {children}
    </section>
  )
}

export default function SearchPage() {
  const { text, found, genres } = useLoaderData<typeof loader>()
  const isEmpty =
    found !== null &&
    [found.tracks, found.artists, found.albums].every(({ items }) => items.length === 0)
  return (
    <div className="mx-auto max-w-6xl px-4 py-8 sm:px-8 sm:py-12">
      <h1 className="mb-6 font-serif text-4xl tracking-tight">Search</h1>
      <SearchBox text={text} />
      <p className="mt-3 text-sm text-dim">
        Narrow it down with <code>genre:jazz</code>, <code>year:1990-1999</code> or{' '}
        <code>bpm:100-130</code>.
      </p>
      {isEmpty ? <p className="mt-10 text-haze">Nothing found. Try fewer or other words.</p> : null}
      {found && found.artists.items.length > 0 ? (
        <Section title="Artists">
          <LinkGrid cards={found.artists.items.map(artistCard)} isRound />
        </Section>
      ) : null}
      {found && found.albums.items.length > 0 ? (
        <Section title="Albums">
          <LinkGrid cards={found.albums.items.map(albumCard)} />
        </Section>
      ) : null}
      {found && found.tracks.items.length > 0 ? (
        <Section title="Tracks">
          <TrackGrid tracks={found.tracks.items} />
        </Section>
      ) : null}
      {genres.length > 0 ? (
        <Section title="Genres">
          <ul className="mt-5 flex flex-wrap gap-2">
            {genres.map(({ slug, name, trackCount }) => (
              <li key={slug}>
                <Link to={`/genres/${encodeURIComponent(slug)}`} className="button-quiet">
                  {name}
                  <span className="text-sm text-dim">{countOf(trackCount, 'track')}</span>
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      ) : null}
    </div>
  )
}
