import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/**
 * Leases straight from Postgres, without a Worker in front, over more and more connections: at what
 * load one database stops being enough. Sessions must be open and their periods from `firstPeriod`
 * on unleased.
 *
 * @returns leases per second for each number of connections
 */
export async function measureCapacity(
  pool: pg.Pool,
  {
    connections,
    seconds,
    firstPeriod,
  }: { connections: number[]; seconds: number; firstPeriod: number },
): Promise<{ connections: number; leasesPerS: number; p99Ms: number }[]> {
  const { rows: sessions } = await pool.query<{ id: string; user_id: string; track_id: string }>(
    `select id, user_id, track_id from listening_sessions where ended_at is null order by id`,
  )
  // A full bucket for everybody: what is measured here is the database, not the pace.
  await pool.query(`update paces set level_ms = 540000, at = now()`)
  const results: { connections: number; leasesPerS: number; p99Ms: number }[] = []
  let next = 0
  for (const parallel of connections) {
    const clients = await Promise.all(Array.from({ length: parallel }, () => pool.connect()))
    const latencies: number[] = []
    let isOver = false
    async function listen(client: pg.PoolClient): Promise<void> {
      while (!isOver) {
        const turn = next++
        const session = sessions[turn % sessions.length]!
        const period = firstPeriod + Math.floor(turn / sessions.length)
        const before = performance.now()
        const { rows } = await client.query<{ outcome: string }>({
          name: 'lease',
          text: `select outcome from lease_key_period($1, $2, $3, 1, $4, now())`,
          values: [session.id, session.user_id, session.track_id, period],
        })
        latencies.push(performance.now() - before)
        if (rows[0]?.outcome !== 'granted') throw new Error(`a lease was ${rows[0]?.outcome}`)
      }
    }
    const before = performance.now()
    const work = Promise.all(clients.map(listen))
    await Promise.race([sleep(seconds * 1000), work])
    isOver = true
    await work
    const elapsedS = (performance.now() - before) / 1000
    for (const client of clients) client.release()
    latencies.sort((a, b) => a - b)
    results.push({
      connections: parallel,
      leasesPerS: Math.round(latencies.length / elapsedS),
      p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    })
  }
  return results
}
