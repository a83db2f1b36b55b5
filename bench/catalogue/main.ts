/**
 * `npm run bench:catalogue [-- --tracks 10000,100000,1000000 --plan NAME]`: p50 and p95 of what
 * listeners read, as the Worker's own repos ask it, on seeded catalogues in a real Postgres 17. With
 * several sizes it prints how the p95 grows from the first to the last.
 */
import { parseArgs } from 'node:util'
import { makeRandom } from '../lib/random.ts'
import { printTable, writeReport } from '../lib/report.ts'
import { measure, planOf, type Timing } from './measure.ts'
import { readsOf } from './reads.ts'
import { makeWorld } from './world.ts'

const { values: options } = parseArgs({
  options: {
    tracks: { type: 'string', default: '10000,100000' },
    listeners: { type: 'string', default: '10000' },
    plays: { type: 'string', default: '5000000' },
    seed: { type: 'string', default: '1' },
    /** Different arguments of each read. */
    arguments: { type: 'string', default: '50' },
    /** Prints the plans of the reads whose name contains this. */
    plan: { type: 'string' },
    out: { type: 'string', default: 'bench/reports/catalogue.json' },
  },
})
const sizes = options.tracks.split(',').map(Number)
const seed = Number(options.seed)

const bySize = new Map<number, Timing[]>()
for (const tracks of sizes) {
  const started = performance.now()
  const world = await makeWorld({
    seed,
    tracks,
    listeners: Number(options.listeners),
    plays: Number(options.plays),
  })
  try {
    console.log(
      `\n${tracks} tracks, loaded in ${((performance.now() - started) / 1000).toFixed(0)} s`,
    )
    const reads = await readsOf(world, makeRandom(seed), Number(options.arguments))
    const timings = await measure(world, reads)
    bySize.set(tracks, timings)
    printTable(
      ['read', 'p50 ms', 'p95 ms', 'goal', ''],
      timings.map(({ name, p50Ms, p95Ms, goalMs }) => [
        name,
        p50Ms.toFixed(2),
        p95Ms.toFixed(2),
        goalMs,
        p95Ms < goalMs ? 'reached' : 'MISSED',
      ]),
    )
    for (const read of reads)
      if (options.plan !== undefined && read.name.includes(options.plan))
        console.log(`\n${read.name}\n${await planOf(world, read)}`)
  } finally {
    await world.close()
  }
}

const [smallest, largest] = [sizes[0]!, sizes.at(-1)!]
if (largest > smallest) {
  // The depth of a B-tree, and with it a look-up, grows by this factor.
  const logarithmic = Math.log(largest) / Math.log(smallest)
  console.log(
    `\np95 from ${smallest} to ${largest} tracks; logarithmic growth is ${logarithmic.toFixed(2)} ×`,
  )
  const before = bySize.get(smallest) ?? []
  printTable(
    ['read', 'growth'],
    (bySize.get(largest) ?? []).map(({ name, p95Ms }, index) => [
      name,
      `${(p95Ms / (before[index]?.p95Ms ?? NaN)).toFixed(2)} ×`,
    ]),
  )
}
await writeReport(options.out, { options, bySize: Object.fromEntries(bySize) })
