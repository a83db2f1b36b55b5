import { AlbumId, ArtistId, FamilyId, SEARCH_TYPES, TrackId, UserId } from '@mist/db/contract'
import { z } from 'zod'
import type { Random } from '../lib/random.ts'
import type { Keyset } from '../../worker/src/contract/pages.ts'
import { makeAlbumRepo } from '../../worker/src/repos/album-repo.ts'
import { makeArtistRepo } from '../../worker/src/repos/artist-repo.ts'
import { makeGenreRepo } from '../../worker/src/repos/genre-repo.ts'
import { makeHistoryRepo } from '../../worker/src/repos/history-repo.ts'
import { makeSearchRepo } from '../../worker/src/repos/search-repo.ts'
import { makeTrackRepo } from '../../worker/src/repos/track-repo.ts'
import type { Statement, World } from './world.ts'

/** Statements of one kind, each with other arguments. */
export type Read = { name: string; goalMs: number; statements: Statement[] }

/** What a list shows at a time, and one more, which tells whether there is a next page. */
const PAGE = 25

/** How far into a list a person may walk. */
const DEEP_PAGE = 500

/** p95 on 100 000 tracks, milliseconds of server time. */
const GOAL_MS = 30
const SEARCH_GOAL_MS = 100
const SUGGESTION_GOAL_MS = 50

const Ids = z.array(z.object({ id: z.string() }))

/** Draws `count` rows of what a query over the whole catalogue answers with. */
async function draw(world: World, random: Random, count: number, query: string) {
  const { rows } = await world.client.query(query)
  const all = Ids.parse(rows)
  return Array.from({ length: count }, () => random.pick(all).id)
}

/** All reads of the catalogue, as the Worker's repos ask them, each with `count` different arguments. */
export async function readsOf(world: World, random: Random, count: number): Promise<Read[]> {
  const { db } = world
  const tracks = makeTrackRepo({ db })
  const albums = makeAlbumRepo({ db })
  const artists = makeArtistRepo({ db })
  const history = makeHistoryRepo({ db })
  const search = makeSearchRepo({ db })
  const trackIds = await draw(world, random, count, 'select id from tracks order by id')
  const userIds = await draw(world, random, count, 'select id from users order by username')

  const reads: Read[] = []
  async function add(name: string, runs: readonly (() => Promise<unknown>)[], goalMs = GOAL_MS) {
    const statements: Statement[] = []
    for (const run of runs) statements.push(await world.statementOf(run))
    reads.push({ name, goalMs, statements })
  }

  await add('tracks, first page', [() => tracks.list({}, 'newest', PAGE, null)])
  const deep = await keysetOfPage(DEEP_PAGE, (after) => tracks.list({}, 'newest', PAGE, after))
  await add(`tracks, page ${deep.page}`, [() => tracks.list({}, 'newest', PAGE, deep.after)])
  await add(
    'a track',
    trackIds.map((id) => () => tracks.find(TrackId.parse(id))),
  )

  const artistIds = await draw(world, random, count, 'select id from artists order by id')
  const albumIds = await draw(world, random, count, 'select id from albums order by id')
  const filters = {
    'of an artist': artistIds.map((id) => ({ artistId: ArtistId.parse(id) })),
    'of a genre': [{ genre: 'jazz' }, { genre: 'bebop' }],
    'of some years': [{ yearFrom: 1990, yearTo: 1999 }],
    'of a tempo': [{ bpmFrom: 100, bpmTo: 105 }],
    'of a length': [{ durationFromS: 600 }],
    'of a key that none has': [{ key: 'F# minor' }],
  }
  for (const [name, each] of Object.entries(filters))
    await add(
      `tracks ${name}`,
      each.map((filter) => () => tracks.list(filter, 'newest', PAGE, null)),
    )
  await add('tracks by title', [() => tracks.list({}, 'title', PAGE, null)])
  await add('artists by name', [() => artists.list('name', PAGE, null)])
  await add('artists, the newest first', [() => artists.list('newest', PAGE, null)])
  await add('albums by title', [() => albums.list({}, 'title', PAGE, null)])
  await add('albums of a genre', [() => albums.list({ genre: 'bebop' }, 'title', PAGE, null)])
  await add(
    'an artist',
    artistIds.map((id) => () => artists.find(ArtistId.parse(id))),
  )
  await add(
    'tracks of an album',
    albumIds.map((id) => () => tracks.ofAlbum(AlbumId.parse(id))),
  )
  await add('genres', [() => makeGenreRepo({ db }).list(500)])

  const titles = await draw(world, random, count, 'select title as id from tracks order by id')
  const none = { genre: null, yearFrom: null, yearTo: null, bpmFrom: null, bpmTo: null }
  await add(
    'search',
    titles.map((text) => () => search.find({ ...none, text }, SEARCH_TYPES, 10)),
    SEARCH_GOAL_MS,
  )
  await add(
    'suggestion',
    titles.map((title) => () => {
      const text = title.slice(0, 1 + (title.length % 8))
      return search.find({ ...none, text }, SEARCH_TYPES, 8)
    }),
    SUGGESTION_GOAL_MS,
  )

  const who = await Promise.all(
    userIds.map(async (id) => {
      const { rows } = await world.client.query(
        'select id from refresh_families where user_id = $1',
        [id],
      )
      return {
        userId: UserId.parse(id),
        familyId: FamilyId.parse(Ids.parse(rows)[0]?.id),
        role: 'user' as const,
      }
    }),
  )
  await add(
    'history, first page',
    who.map((each) => () => history.list(each, PAGE, null)),
  )
  await add(
    'totals',
    who.map((each) => () => history.totals(each)),
  )
  return reads
}

/** Where page `page` of a list begins, or its last whole page where it has fewer. */
async function keysetOfPage(
  page: number,
  fetchRows: (after: Keyset | null) => Promise<{ cursorAt: string; id: string }[]>,
): Promise<{ page: number; after: Keyset | null }> {
  let after: Keyset | null = null
  for (let at = 1; at < page; at++) {
    const rows = await fetchRows(after)
    const last = rows.at(-2)
    if (rows.length < PAGE || last === undefined) return { page: at, after }
    after = { at: last.cursorAt, id: last.id }
  }
  return { page, after }
}
