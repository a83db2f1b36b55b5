import { makeSearchRepo } from '../../worker/src/repos/search-repo.ts'
import type { World } from '../catalogue/world.ts'
import type { Finder } from './score.ts'

/** How many of each type the page of a search shows. */
const SHOWN = 10

const NO_FILTER = { genre: null, yearFrom: null, yearTo: null, bpmFrom: null, bpmTo: null }

/** The Worker's own search, on a real Postgres; notes how long each took, milliseconds with the way there. */
export function makePostgresFinder({ db }: World, timesMs: number[]): Finder {
  const search = makeSearchRepo({ db })
  return async (text) => {
    const started = performance.now()
    const hits = await search.find({ ...NO_FILTER, text }, ['track', 'artist', 'album'], SHOWN)
    timesMs.push(performance.now() - started)
    const idsOf = (type: string) => hits.filter((hit) => hit.type === type).map(({ id }) => id)
    return { tracks: idsOf('track'), artists: idsOf('artist'), albums: idsOf('album') }
  }
}
