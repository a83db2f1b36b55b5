import { FamilyId, TrackId, UserId } from '@mist/db/contract'
import { z } from 'zod'
import type { Random } from '../lib/random.ts'
import type { Keyset } from '../../worker/src/contract/pages.ts'
import { makeHistoryRepo } from '../../worker/src/repos/history-repo.ts'
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
  const history = makeHistoryRepo({ db })
  const trackIds = await draw(world, random, count, 'select id from tracks order by id')
  const userIds = await draw(world, random, count, 'select id from users order by username')

  const reads: Read[] = []
  async function add(name: string, runs: readonly (() => Promise<unknown>)[], goalMs = GOAL_MS) {
    const statements: Statement[] = []
    for (const run of runs) statements.push(await world.statementOf(run))
    reads.push({ name, goalMs, statements })
  }

  await add('tracks, first page', [() => tracks.list(PAGE, null)])
  const deep = await keysetOfPage(DEEP_PAGE, (after) => tracks.list(PAGE, after))
  await add(`tracks, page ${deep.page}`, [() => tracks.list(PAGE, deep.after)])
  await add(
    'a track',
    trackIds.map((id) => () => tracks.find(TrackId.parse(id))),
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
