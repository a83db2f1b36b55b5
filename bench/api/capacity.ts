import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LEASE_MAX_PERIODS } from '@mist/db/contract'
import type pg from 'pg'

/** Processor time that the backends behind these connections have used, microseconds. */
async function backendCpuUs(clients: pg.PoolClient[]): Promise<number> {
  let us = 0
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    // Nanoseconds on a processor come first (Linux, Documentation/scheduler/sched-stats.rst).
    const [ns] = (await readFile(`/proc/${rows[0]!.pid}/schedstat`, 'utf8')).split(' ')
    us += Number(ns) / 1000
  }
  return us
}

/**
 * Leases runs straight from Postgres, without a Worker in front, over more and more connections: at what
 * load one database stops being enough. Takes sessions of its own, on the track of `trackS` seconds.
 *
 * @returns for each number of connections leases per second, and what one costs Postgres's processor
 */
export async function measureCapacity(
  pool: pg.Pool,
  { connections, seconds, trackS }: { connections: number[]; seconds: number; trackS: number },
): Promise<{ connections: number; leasesPerS: number; p99Ms: number; cpuUs: number }[]> {
  const { rows: sessions } = await pool.query<{ id: string; user_id: string; track_id: string }>(
    `with long as (select id from tracks where duration_s = $1 limit 1)
     insert into listening_sessions (id, user_id, family_id, track_id, version, period_count, period_ms, duration_ms, seat, started_at, expires_at, heartbeat_at)
     select gen_random_uuid(), f.user_id, f.id, long.id, 1, $1 / 4, 4000, $1 * 1000, 1, now(), now() + interval '30 minutes', now()
     from refresh_families f, long
     returning id, user_id, track_id`,
    [trackS],
  )
  await pool.query(
    `update meters m set seats = array[s.id], leased = array[''::bytea]
     from listening_sessions s where s.user_id = m.user_id and s.id = any($1)`,
    [sessions.map(({ id }) => id)],
  )
  const results: { connections: number; leasesPerS: number; p99Ms: number; cpuUs: number }[] = []
  let next = 0
  for (const parallel of connections) {
    // A full bucket for everybody: what is measured here is the database, not the pace.
    await pool.query(`update meters set level_ms = 540000, at = now() where user_id = any($1)`, [
      sessions.map(({ user_id }) => user_id),
    ])
    const clients = await Promise.all(Array.from({ length: parallel }, () => pool.connect()))
    const latencies: number[] = []
    let isFinished = false
    async function listen(client: pg.PoolClient): Promise<void> {
      // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- it is set while this waits
      while (!isFinished) {
        const turn = next++
        const session = sessions[turn % sessions.length]!
        const from = LEASE_MAX_PERIODS * Math.floor(turn / sessions.length)
        const before = performance.now()
        const { rows } = await client.query<{ outcome: string }>({
          name: 'lease',
          text: `select lease_key_periods($1, $2, $3, 1, $4, ${LEASE_MAX_PERIODS}, now()) ->> 'outcome' as outcome`,
          values: [session.id, session.user_id, session.track_id, from],
        })
        latencies.push(performance.now() - before)
        if (rows[0]?.outcome !== 'granted') throw new Error(`a lease was ${rows[0]?.outcome}`)
      }
    }
    const cpuBefore = await backendCpuUs(clients)
    const before = performance.now()
    const work = Promise.all(clients.map(listen))
    let elapsedS: number
    let cpuUs: number
    try {
      await Promise.race([sleep(seconds * 1000), work])
      isFinished = true
      await work
      elapsedS = (performance.now() - before) / 1000
      cpuUs = (await backendCpuUs(clients)) - cpuBefore
    } finally {
      isFinished = true
      for (const client of clients) client.release(true)
    }
    latencies.sort((a, b) => a - b)
    results.push({
      connections: parallel,
      leasesPerS: Math.round(latencies.length / elapsedS),
      cpuUs: cpuUs / latencies.length,
      p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    })
  }
  return results
}
