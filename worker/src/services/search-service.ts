import { AlbumId, ArtistId, SEARCH_TYPES, TrackId, type SearchType } from '@mist/db/contract'
import type { Page } from '../contract/pages.ts'
import type { SearchAnswer, SearchQuery, Suggestion, SuggestionsQuery } from '../contract/search.ts'
import type { AlbumRepo } from '../repos/album-repo.ts'
import type { ArtistRepo } from '../repos/artist-repo.ts'
import type { Hit, SearchRepo } from '../repos/search-repo.ts'
import type { TrackRepo } from '../repos/track-repo.ts'
import { presentAlbum, presentArtist } from './present-catalogue.ts'
import { parseQuery, type ParsedQuery } from './search-query.ts'
import { presentTrack } from './track-service.ts'

/** So that of an artist and a title that match alike the artist is suggested first. */
const ARTIST_BONUS = 0.5

/** Finds what somebody means. */
export function makeSearchService({
  search,
  tracks,
  artists,
  albums,
}: {
  search: SearchRepo
  tracks: TrackRepo
  artists: ArtistRepo
  albums: AlbumRepo
}) {
  async function hitsOf(
    { text, filters }: ParsedQuery,
    types: readonly SearchType[],
    limit: number,
  ) {
    const isAsked = text !== '' || Object.values(filters).some((value) => value !== null)
    return isAsked && types.length > 0 ? search.find({ text, ...filters }, types, limit) : []
  }

  /** The things themselves, in the order of the hits. What was hidden meanwhile is left out. */
  async function shown(hits: readonly Hit[], mediaBase: string) {
    const idsOf = (type: SearchType) => hits.filter((hit) => hit.type === type).map(({ id }) => id)
    const ids = { track: idsOf('track'), artist: idsOf('artist'), album: idsOf('album') }
    const [ofTracks, ofArtists, ofAlbums] = await Promise.all([
      ids.track.length > 0 ? tracks.byIds(ids.track.map((id) => TrackId.parse(id))) : [],
      ids.artist.length > 0 ? artists.byIds(ids.artist.map((id) => ArtistId.parse(id))) : [],
      ids.album.length > 0 ? albums.byIds(ids.album.map((id) => AlbumId.parse(id))) : [],
    ])
    return {
      tracks: inOrder(ids.track, ofTracks).map((row) => presentTrack(row, mediaBase)),
      artists: inOrder(ids.artist, ofArtists).map((row) => presentArtist(row, mediaBase)),
      albums: inOrder(ids.album, ofAlbums).map((row) => presentAlbum(row, mediaBase)),
    }
  }

  return {
    /** Tracks, artists and albums that the text means, of each the best first. */
    async search({ q, types, limit }: SearchQuery, mediaBase: string): Promise<SearchAnswer> {
      const query = parseQuery(q)
      const asked = types.split(',')
      const hits = await hitsOf(
        query,
        SEARCH_TYPES.filter((type) => asked.includes(type)),
        limit,
      )
      const found = await shown(hits, mediaBase)
      return {
        query,
        tracks: onlyPage(found.tracks),
        artists: onlyPage(found.artists),
        albums: onlyPage(found.albums),
        playlists: onlyPage([]),
      }
    },

    /** What is likely meant by what is typed so far, the best first, of whatever type. */
    async suggest({ q, limit }: SuggestionsQuery, mediaBase: string): Promise<Suggestion[]> {
      const hits = (await hitsOf(parseQuery(q), SEARCH_TYPES, limit))
        .sort((a, b) => scoreOf(b) - scoreOf(a))
        .slice(0, limit)
      const found = await shown(hits, mediaBase)
      const suggestions = new Map<string, Suggestion>()
      for (const { id, title, artists: by, coverUrls } of found.tracks)
        suggestions.set(id, { type: 'track', id, title, subtitle: names(by), coverUrls })
      for (const { id, name, coverUrls } of found.artists)
        suggestions.set(id, { type: 'artist', id, title: name, subtitle: null, coverUrls })
      for (const { id, title, artists: by, coverUrls } of found.albums)
        suggestions.set(id, { type: 'album', id, title, subtitle: names(by), coverUrls })
      return hits.flatMap(({ id }) => suggestions.get(id) ?? [])
    },
  }
}

const scoreOf = ({ type, score }: Hit) => score + (type === 'artist' ? ARTIST_BONUS : 0)

const names = (of: readonly { name: string }[]) => of.map(({ name }) => name).join(', ')

const onlyPage = <T>(items: T[]): Page<T> => ({ items, nextCursor: null })

function inOrder<R extends { id: string }>(ids: readonly string[], rows: readonly R[]): R[] {
  const byId = new Map<string, R>(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
