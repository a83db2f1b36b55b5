/**
 * `npm run bench:search [-- --tracks 100000 --queries 400 --seed 1 --misses 20]`: makes a catalogue of
 * plausible names and queries whose answers are known from how they were made, and prints the share
 * found at rank 1 and within the first five of the list of its type. Queries that several entries
 * answer equally well are left out and counted.
 */
import { parseArgs } from 'node:util'
import { makeRandom } from '../lib/random.ts'
import { writeReport } from '../lib/report.ts'
import { quantile } from '../lib/statistics.ts'
import { makeWorld } from '../catalogue/world.ts'
import { makeCatalogue } from '../names/make-catalogue.ts'
import { entriesOf } from './entries.ts'
import { makeKnownQueries } from './known-queries.ts'
import { makePostgresFinder } from './postgres-finder.ts'
import { makeQueries } from './queries.ts'
import { ask, printByScript, printScores, score } from './score.ts'
import { makeSubstringFinder } from './substring-finder.ts'

const { values: options } = parseArgs({
  options: {
    tracks: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    /** So many queries that were not answered first are printed. */
    misses: { type: 'string', default: '0' },
    out: { type: 'string', default: 'bench/reports/search.json' },
  },
})
const seed = Number(options.seed)

const entries = entriesOf(makeCatalogue({ seed, tracks: Number(options.tracks) }))
const { queries, leftOut } = makeQueries(makeRandom(seed + 1), entries, Number(options.queries))
const asked = [...queries, ...makeKnownQueries(entries)]
const left = Object.values(leftOut).reduce((sum, count) => sum + count, 0)
console.log(
  `${entries.tracks.length} tracks, ${entries.artists.length} artists, ${entries.albums.length} albums; ` +
    `${asked.length} queries; ${left} more that several entries answer equally well are left out`,
)

const world = await makeWorld({ seed, tracks: Number(options.tracks), listeners: 0, plays: 0 })
const timesMs: number[] = []
const scores: Record<string, unknown> = {}
try {
  const finders = {
    'substrings, the shorter title first': makeSubstringFinder(entries),
    'the search': makePostgresFinder(world, timesMs),
  }
  for (const [name, find] of Object.entries(finders)) {
    const outcomes = await ask(find, asked)
    scores[name] = score(outcomes, leftOut)
    printScores(name, score(outcomes, leftOut))
    printByScript(outcomes)
    for (const miss of outcomes.filter(({ rank }) => rank !== 1).slice(0, Number(options.misses)))
      console.log(
        `${miss.class}: “${miss.text}” (${miss.type} ${miss.meant}): ${miss.rank ?? 'not found'}`,
      )
  }
} finally {
  await world.close()
}
console.log(
  `a search: p50 ${quantile(timesMs, 0.5).toFixed(1)} ms, p95 ${quantile(timesMs, 0.95).toFixed(1)} ms with the way there`,
)
await writeReport(options.out, { options, scores })
