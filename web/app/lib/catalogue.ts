import type { LinkCard } from '../components/link-grid.tsx'
import type { Album, Artist } from './api-types.ts'

export const countOf = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`

export function artistCard({ id, name, trackCount, coverUrls }: Artist): LinkCard {
  const subtitle = countOf(trackCount, 'track')
  return { id, to: `/artists/${id}`, title: name, subtitle, coverUrls }
}

export function albumCard({ id, title, artists, year, coverUrls }: Album): LinkCard {
  const by = artists.map(({ name }) => name).join(', ')
  const subtitle = year === null ? by : `${by} · ${year}`
  return { id, to: `/albums/${id}`, title, subtitle, coverUrls }
}

/** The page of something that was found. */
export const pathOf = (type: 'track' | 'artist' | 'album', id: string) => `/${type}s/${id}`
