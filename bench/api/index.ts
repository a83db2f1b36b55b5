import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { LEASE_MAX_PERIODS, SEGMENT_S, SEGMENTS_PER_PERIOD_NEW } from '@mist/db/contract'
import { median, quantile } from '../lib/statistics.ts'
import { printTable, writeReport } from '../lib/report.ts'
import { measureCapacity } from './capacity.ts'
import { load, type Call, type LoadResult } from './load.ts'
import { CAPACITY_TRACK_S, makeWorld, type Listener, type World } from './world.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    /** At one connection latencies are the service's own; at more they are also the machine's queue. */
    connections: { type: 'string', default: '1,8' },
    requests: { type: 'string', default: '400' },
    /** Milliseconds to the database and back; Neon in the Worker's region is one to three. */
    'database-ms': { type: 'string', default: '0' },
    /** Parts of the scenarios' names, such as `run`: those and what they are held against; `capacity`, too. */
    only: { type: 'string' },
    out: { type: 'string', default: 'bench/reports/api.json' },
  },
})
const only = options.only?.split(',') ?? null
/** What is held against one another is always measured. */
const BASELINES = ['bare hello', 'bare statement', 'bare write', 'key lease', 'run']
const isWanted = (name: string) =>
  BASELINES.includes(name) || (only?.some((part) => name.includes(part)) ?? true)
const rounds = Number(options.rounds)
const loads = options.connections.split(',').map(Number)
const requests = Number(options.requests)
/** Rounds that are not counted, for each number of connections. */
const WARM_ROUNDS = 3

/** Between two scenarios, milliseconds. */
const SETTLE_MS = 200

/** So many that the fastest Postgres does not bring one of them to the end of their pace. */
const CAPACITY_LISTENERS = 1500

/** Rounds in all; those with few and with many connections take turns. */
const turns = (WARM_ROUNDS + rounds) * loads.length

/** Leases of twelve seconds that one premium listener may take in a burst: 540 s of pace, less the start. */
const LEASES_PER_LISTENER = 40

type Result = LoadResult & { statements: number }
type Scenario = { name: string; origin: string; expect: number; calls: Call[] }
type Session = { id: string; userId: string; token: string; trackId: string; version: number }

/** Listeners for the leases of one turn: of keys through the API and past it, and of runs. */
const perGroup = Math.ceil(requests / LEASES_PER_LISTENER)
const perTurn = 3 * perGroup

const repeat = (call: Call) => Array.from({ length: requests }, () => call)
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Starts sessions outside of the measurement, for the leases and heartbeats of one round. */
async function openSessions(
  world: World,
  listeners: Listener[],
  trackId: string,
): Promise<Session[]> {
  const sessions: Session[] = []
  for (const { accessToken, userId } of listeners) {
    const response = await fetch(`${world.apiUrl}/api/v1/listening-sessions`, {
      method: 'POST',
      headers: { ...bearer(accessToken), 'content-type': 'application/json' },
      body: JSON.stringify({ trackId }),
    })
    if (!response.ok) throw new Error(`session start: ${response.status} ${await response.text()}`)
    const { id, token }: { id: string; token: string } = await response.json()
    sessions.push({ id, userId, token, trackId, version: 1 })
  }
  return sessions
}

/** Period by period over all sessions, as many listeners at once would ask. */
function leases(sessions: Session[], call: (session: Session, period: number) => Call): Call[] {
  return Array.from({ length: LEASES_PER_LISTENER }, (_, period) =>
    sessions.map((session) => call(session, period + 1)),
  )
    .flat()
    .slice(0, requests)
}

function scenariosOf(
  world: World,
  turn: number,
  {
    sessions,
    bareSessions,
    runSessions,
  }: Record<'sessions' | 'bareSessions' | 'runSessions', Session[]>,
): Scenario[] {
  const { apiUrl, bareUrl } = world
  const trackId = world.trackIds[turn]!
  const keysOf = (named: string) =>
    leases(sessions, ({ version, token }, period) => ({
      path: `/api/v1/keys/${named}/${version}/${period}`,
      headers: bearer(token),
    }))
  const starters = world.listeners.slice(turns * perTurn)
  return [
    { name: 'bare hello', origin: bareUrl, expect: 200, calls: repeat({ path: '/hello' }) },
    { name: 'bare statement', origin: bareUrl, expect: 200, calls: repeat({ path: '/statement' }) },
    {
      name: 'bare write',
      origin: bareUrl,
      expect: 200,
      calls: leases(bareSessions, ({ userId }) => ({ path: `/write/${userId}` })),
    },
    {
      name: 'bare lease',
      origin: bareUrl,
      expect: 200,
      calls: leases(bareSessions, ({ id, userId, trackId: track }, period) => ({
        path: `/lease/${id}/${userId}/${track}/${period}`,
      })),
    },
    {
      name: 'catalogue, cold',
      origin: apiUrl,
      expect: 200,
      calls: repeat({ path: '/api/v1/tracks?limit=24', headers: bearer(world.adminToken) }),
    },
    {
      name: 'catalogue, cached',
      origin: apiUrl,
      expect: 200,
      calls: repeat({ path: '/api/v1/tracks?limit=24' }),
    },
    {
      name: 'session start',
      origin: apiUrl,
      expect: 201,
      calls: starters.slice(0, requests).map(({ accessToken }) => ({
        method: 'POST',
        path: '/api/v1/listening-sessions',
        headers: bearer(accessToken),
        body: JSON.stringify({ trackId }),
      })),
    },
    {
      name: 'key lease',
      origin: apiUrl,
      expect: 200,
      calls: keysOf(world.leaseTrackId),
    },
    {
      name: 'run',
      origin: apiUrl,
      expect: 200,
      calls: leases(runSessions, ({ id, token }, nth) => ({
        method: 'POST',
        path: `/api/v1/listening-sessions/${id}/leases`,
        headers: bearer(token),
        body: JSON.stringify({ from: (nth - 1) * LEASE_MAX_PERIODS + 1, count: LEASE_MAX_PERIODS }),
      })),
    },
    {
      name: 'key again',
      origin: apiUrl,
      expect: 200,
      calls: keysOf(world.leaseTrackId),
    },
    {
      name: 'key refused',
      origin: apiUrl,
      expect: 403,
      calls: keysOf(world.trackIds[0]!),
    },
    {
      name: 'heartbeat',
      origin: apiUrl,
      expect: 200,
      calls: Array.from({ length: Math.ceil(requests / sessions.length) }, (_, beat) =>
        sessions.map((session) => ({
          method: 'POST' as const,
          path: `/api/v1/listening-sessions/${session.id}/heartbeat`,
          headers: bearer(session.token),
          body: JSON.stringify({ positionS: beat / 100 }),
        })),
      )
        .flat()
        .slice(0, requests),
    },
  ]
}

console.log('Preparing Postgres 17, the bundles and the listeners…')
const world = await makeWorld({
  listeners: turns * perTurn + Math.max(requests, CAPACITY_LISTENERS),
  tracks: turns,
  databaseMs: Number(options['database-ms']),
})
/** By connections, by scenario: one result a round. */
const results = new Map(loads.map((connections) => [connections, new Map<string, Result[]>()]))
let capacity: Awaited<ReturnType<typeof measureCapacity>> = []
try {
  for (let turn = 0; turn < turns; turn++) {
    // The first rounds warm caches, connections and compilers, and are not counted.
    const isWarm = turn >= WARM_ROUNDS * loads.length
    const connections = loads[turn % loads.length]!
    const crowd = world.listeners.slice(turn * perTurn, (turn + 1) * perTurn)
    const opened = await openSessions(world, crowd.slice(perGroup), world.leaseTrackId)
    const scenarios = scenariosOf(world, turn, {
      sessions: opened.slice(0, perGroup),
      bareSessions: opened.slice(perGroup),
      runSessions: await openSessions(world, crowd.slice(0, perGroup), world.runTrackId),
    })
    for (const { name, origin, expect, calls } of scenarios) {
      if (!isWanted(name)) continue
      // What the scenario before left to be collected, vacuumed and flushed is its own affair.
      await sleep(SETTLE_MS)
      const before = await world.statements()
      const result = await load(origin, calls, { connections, expect })
      const statements = ((await world.statements()) - before) / calls.length
      if (Object.keys(result.unexpected).length > 0)
        throw new Error(`${name}: unexpected answers ${JSON.stringify(result.unexpected)}`)
      if (!isWarm) continue
      const runs = results.get(connections)!
      runs.set(name, [...(runs.get(name) ?? []), { ...result, statements }])
    }
    // As autovacuum does a minute after a table has grown; until then plans are those of empty tables.
    if (turn === 0) await world.pool.query('vacuum analyze')
    process.stdout.write(isWarm ? '.' : 'warm ')
  }
  if (isWanted('capacity'))
    capacity = await measureCapacity(world.pool, {
      connections: [1, 4, 16],
      seconds: 2,
      trackS: CAPACITY_TRACK_S,
    })
} finally {
  await world.close()
}

const p50 = (result: LoadResult) => quantile(result.latenciesMs, 0.5)

/** Pair by pair within a round, so that a machine that slows down slows down both sides. */
function summarise(runs: Map<string, Result[]>) {
  const hello = runs.get('bare hello')!
  const statement = runs.get('bare statement')!
  const write = runs.get('bare write')!
  const key = runs.get('key lease')!
  return [...runs].map(([name, measured]) => ({
    name,
    requestsPerS: Math.round(median(measured.map((run) => run.requestsPerS))),
    p50Ms: median(measured.map(p50)),
    p99Ms: median(measured.map((run) => quantile(run.latenciesMs, 0.99))),
    statements: median(measured.map((run) => run.statements)),
    p50ToStatement: median(measured.map((run, index) => p50(run) / p50(statement[index]!))),
    p50ToWrite: median(measured.map((run, index) => p50(run) / p50(write[index]!))),
    p50ToKey: median(measured.map((run, index) => p50(run) / p50(key[index]!))),
    throughputToHello: median(
      measured.map((run, index) => run.requestsPerS / hello[index]!.requestsPerS),
    ),
  }))
}

const tables = loads.map((connections) => ({
  connections,
  rows: summarise(results.get(connections)!),
}))
for (const { connections, rows } of tables) {
  console.log(`\n\n${connections === 1 ? 'one connection' : `${connections} connections`}:\n`)
  printTable(
    [
      '',
      'req/s',
      'p50 ms',
      'p99 ms',
      'statements',
      'p50 ÷ bare statement',
      'p50 ÷ bare write',
      'req/s ÷ bare hello',
    ],
    rows.map((row) => [
      row.name,
      row.requestsPerS,
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      row.statements.toFixed(2),
      row.p50ToStatement.toFixed(2),
      row.p50ToWrite.toFixed(2),
      row.throughputToHello.toFixed(2),
    ]),
  )
}
for (const { connections, rows } of tables) {
  const run = rows.find(({ name }) => name === 'run')!
  const key = rows.find(({ name }) => name === 'key lease')!
  // Both are twelve seconds of music: a run of three keys of four, and one key of twelve.
  console.log(
    `\n${connections} at once: a run of three per second of music ÷ a lease of twelve seconds: ` +
      `${run.p50ToKey.toFixed(2)} (goal 1.0); lease ÷ bare write: key ${key.p50ToWrite.toFixed(2)}, ` +
      `run ${run.p50ToWrite.toFixed(2)} (goal 1.1)`,
  )
}
if (capacity.length > 0) {
  console.log('\nruns of three straight from Postgres, no Worker in front:\n')
  printTable(
    ['connections', 'runs/s', 'p99 ms', 'CPU µs a run', 'listeners at once'],
    capacity.map((row) => [
      row.connections,
      row.leasesPerS,
      row.p99Ms.toFixed(2),
      row.cpuUs.toFixed(0),
      row.leasesPerS * LEASE_MAX_PERIODS * SEGMENTS_PER_PERIOD_NEW * SEGMENT_S,
    ]),
  )
}
await writeReport(options.out, {
  benchmark: 'api',
  rounds,
  requests,
  databaseMs: Number(options['database-ms']),
  tables,
  capacity,
})
