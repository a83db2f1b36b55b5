import { sql, type SQL } from 'drizzle-orm'

/** A meter in a batch is held while the batch lasts, some ten milliseconds: no listener notices. */
const METERS_PER_BATCH = 1000

/** A Worker may ask a thousand times in one run. What is left is for the next, in a minute. */
const BATCHES_PER_RUN = 500

/**
 * Brings the meters of plans that have changed up to date, batch by batch, each a statement and a
 * transaction of its own; several at once share the work. Answers with how many.
 */
export async function refreshMeters(
  execute: (statement: SQL) => PromiseLike<{ rows: Record<string, unknown>[] }>,
): Promise<number> {
  let refreshed = 0
  for (let batch = 0; batch < BATCHES_PER_RUN; batch++) {
    const { rows } = await execute(
      sql`select refresh_meters(${METERS_PER_BATCH}::integer) as count`,
    )
    const count = Number(rows[0]?.['count'] ?? 0)
    if (count === 0) break
    refreshed += count
  }
  return refreshed
}
