/**
 * `npm run chaos -- [--kills 20] [--tracks 10] FILE…`: kills the transcoder at random moments over a
 * batch and then looks: every job completed, every track published once, nothing left over. It
 * brings its own Postgres, Redis and S3.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { jobs, trackVersions } from '@mist/db/schema'
import { sql } from 'drizzle-orm'
import { makeLog } from '../platform/log.ts'
import { makeSweep } from '../sweep.ts'
import { makeOwnership } from '../buckets/ownership.ts'
import { ownershipOptions } from '../options.ts'
import { startFixture } from '../testing/fixture.ts'
import { listKeys } from '../testing/hls.ts'
import { makeUpload } from '../testing/uploads.ts'

/** Kills come this long after a start, at random. */
const LIFE_MS = { least: 1500, most: 9000 }

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '20' },
    tracks: { type: 'string', default: '10' },
  },
})
if (files.length === 0) {
  console.error('usage: npm run chaos -- [--kills N] [--tracks N] FILE…')
  process.exit(2)
}

const fixture = await startFixture()
const { db, s3, objects, stack } = fixture
// Before anything is in the buckets: those that are in use are claimed by hand alone.
const ownership = makeOwnership({ db, objects, ...ownershipOptions(fixture.env) })
await ownership.open()
let faults = 0
function check(holds: boolean, what: string): void {
  console.log(`${holds ? 'ok   ' : 'WRONG'} ${what}`)
  if (!holds) faults++
}

try {
  const tracks = Number(values.tracks)
  for (let i = 0; i < tracks; i++) await makeUpload(fixture, files[i % files.length]!)
  const start = () =>
    spawn(process.execPath, [MAIN], {
      env: { ...process.env, ...stack.env, LOG_LEVEL: 'error' },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  for (let kill = 1; kill <= Number(values.kills); kill++) {
    const transcoder = start()
    const lifeMs = LIFE_MS.least + Math.random() * (LIFE_MS.most - LIFE_MS.least)
    await sleep(lifeMs)
    const gone = once(transcoder, 'exit')
    transcoder.kill('SIGKILL')
    await gone
    console.log(`kill ${kill} after ${Math.round(lifeMs)} ms: ${await summary()}`)
  }
  const last = start()
  const deadline = Date.now() + 15 * 60_000
  while ((await unfinished()) > 0 && Date.now() < deadline) await sleep(1000)
  const gone = once(last, 'exit')
  last.kill('SIGTERM')
  await gone

  const rows = await db.select().from(jobs)
  check(
    rows.every((row) => row.status === 'completed'),
    `${tracks} jobs completed: ${await summary()}`,
  )
  const versions = await db.select().from(trackVersions)
  const published = versions.filter((row) => row.status === 'published')
  check(
    published.length === tracks && new Set(published.map((row) => row.trackId)).size === tracks,
    'each track published once',
  )
  await db.update(trackVersions).set({ createdAt: sql`now() - interval '1 day'` })
  await makeSweep({
    db,
    objects,
    ownership,
    log: makeLog('warn'),
    retiredVersionS: 0,
    abandonedUploadS: 0,
  }).sweep()
  const live = new Set(published.map((row) => `tracks/${row.trackId}/${row.version}/`))
  const orphans = (await listKeys(s3, 'media', 'tracks/')).filter(
    (key) => !live.has(`${key.split('/').slice(0, 3).join('/')}/`),
  )
  check(orphans.length === 0, `no orphan objects after the sweep (${orphans.length})`)
} finally {
  await fixture.stop()
}
process.exitCode = faults === 0 ? 0 : 1

async function summary(): Promise<string> {
  const rows = await db.select({ status: jobs.status }).from(jobs)
  const count = (status: string) => rows.filter((row) => row.status === status).length
  return `${count('completed')} completed, ${count('failed')} failed of ${rows.length}`
}

async function unfinished(): Promise<number> {
  const rows = await db.select({ status: jobs.status }).from(jobs)
  return rows.filter((row) => row.status === 'queued' || row.status === 'processing').length
}
