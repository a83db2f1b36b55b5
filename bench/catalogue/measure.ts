import { quantile } from '../lib/statistics.ts'
import type { Read } from './reads.ts'
import type { World } from './world.ts'

export type Timing = { name: string; goalMs: number; p50Ms: number; p95Ms: number }

/** Times of one read are taken this often, its arguments in turn. */
const RUNS = 200

/**
 * Measures reads on one connection to the database: parsing, planning and running the statement each
 * time, as with Neon over HTTP, without the Worker and the network. Each statement has run once before.
 */
export async function measure(world: World, reads: readonly Read[]): Promise<Timing[]> {
  const timings: Timing[] = []
  for (const { name, goalMs, statements } of reads) {
    for (const { query, params } of statements) await world.client.query(query, params)
    const times: number[] = []
    while (times.length < RUNS) {
      const { query, params } = statements[times.length % statements.length]!
      const started = performance.now()
      await world.client.query(query, params)
      times.push(performance.now() - started)
    }
    timings.push({ name, goalMs, p50Ms: quantile(times, 0.5), p95Ms: quantile(times, 0.95) })
  }
  return timings
}

/** How Postgres runs the statement that a read begins with. */
export async function planOf(world: World, { statements }: Read): Promise<string> {
  const { query, params } = statements[0]!
  const { rows } = await world.client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers, costs off) ${query}`,
    params,
  )
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}
