/**
 * `npm run bench:batch -- [--tracks N] [--json FILE] FILE…`: how much sooner two transcoders finish a
 * batch than one, through the whole pipeline (Postgres, outbox, relay, Redis, S3), and whether they
 * did a job twice. Each transcoder is a process of its own, bound to a core of its own where there
 * is `taskset`, so that one has one core and two have two.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { jobs, outbox, trackVersions } from '@mist/db/schema'
import { startFixture, type Fixture } from '../../transcoder/src/testing/fixture.ts'
import { makeUpload } from '../../transcoder/src/testing/uploads.ts'

const MAIN = fileURLToPath(new URL('../../transcoder/src/main.ts', import.meta.url))

/** How often the batch is looked at. */
const LOOK_MS = 200

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    tracks: { type: 'string', default: '20' },
    json: { type: 'string' },
  },
})
const tracks = Number(values.tracks)
if (files.length === 0 || !Number.isInteger(tracks) || tracks < 1) {
  console.error('usage: npm run bench:batch -- [--tracks N] [--json FILE] FILE…')
  process.exit(2)
}

/** A transcoder on one core, ready for work. */
async function startTranscoder(fixture: Fixture, core: number): Promise<ChildProcess> {
  const child = spawn('taskset', ['-c', String(core), process.execPath, MAIN], {
    env: { ...process.env, ...fixture.stack.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('"msg":"ready"')) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error('a transcoder ended')))
  })
  return child
}

async function runBatch(transcoders: number) {
  const fixture = await startFixture()
  const running: ChildProcess[] = []
  try {
    const { db } = fixture
    const made = []
    for (let i = 0; i < tracks; i++) {
      made.push(await makeUpload(fixture, files[i % files.length]!, { withOutbox: false }))
    }
    for (let i = 0; i < transcoders; i++) {
      running.push(await startTranscoder(fixture, i % availableParallelism()))
    }
    const startedAt = performance.now()
    await db.insert(outbox).values(
      made.map(({ jobId, trackId }) => ({
        topic: 'transcode' as const,
        payload: { v: 1, jobId, trackId },
      })),
    )
    let rows = await db.select().from(jobs)
    while (rows.some(({ status }) => status !== 'completed' && status !== 'failed')) {
      await sleep(LOOK_MS)
      rows = await db.select().from(jobs)
    }
    const seconds = (performance.now() - startedAt) / 1000
    // Every run takes a version of its own, whatever becomes of it.
    const runs = (await db.select().from(trackVersions)).length
    return {
      transcoders,
      tracks,
      seconds: Math.round(seconds * 10) / 10,
      completed: rows.filter(({ status }) => status === 'completed').length,
      doneTwice: runs - tracks,
      attempts: rows.reduce((sum, { attempts }) => sum + attempts, 0),
    }
  } finally {
    for (const child of running) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
    await fixture.stop()
  }
}

const one = await runBatch(1)
const two = await runBatch(2)
console.table([one, two])
const speedup = one.seconds / two.seconds
console.log(
  `Two transcoders finished ${speedup.toFixed(2)} times as fast as one (goal 1.8) on ` +
    `${availableParallelism()} cores.`,
)
if (values.json !== undefined) {
  const report = { cores: availableParallelism(), speedup, runs: [one, two] }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
