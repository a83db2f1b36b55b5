/**
 * `npm run bench:ingest -- [--runs N] [--long HOURS] [--json FILE] FILE…`: a whole ingest job against
 * a bare ffmpeg that decodes the same file once and encodes the same three renditions with default
 * settings, in turns in one run. The job runs in a process that is warm, as a transcoder is after
 * its first. With `--long`, one run of the first file played again and again for that many hours: a
 * mix whose memory must not grow with its length.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startFixture } from '../../transcoder/src/testing/fixture.ts'
import { makeUpload } from '../../transcoder/src/testing/uploads.ts'
import { ffmpeg } from '../lib/ffmpeg.ts'
import { encodeBare } from './bare.ts'
import { cpuSoFar, measure, median, type Cost } from './measure.ts'
import { JOB_STEPS, type JobStep } from '@mist/db/contract'

/** Added to every S3 request: a store in the same region, seen from a small host. */
const S3_LATENCY_MS = 40

/** CPU seconds of one step: this process's own, and its children's. */
type StepCost = { ownS: number; childrenS: number }

type JobCost = Cost & {
  lastByteAfterEncoderMs: number
  audioS: number
  steps: ReadonlyMap<JobStep, StepCost>
}

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    long: { type: 'string' },
    json: { type: 'string' },
  },
})
const longHours = values.long === undefined ? null : Number(values.long)
const runs = longHours === null ? Number(values.runs) : 1
if (files.length === 0 || !Number.isInteger(runs) || runs < 1) {
  console.error('usage: npm run bench:ingest -- [--runs N] [--long HOURS] [--json FILE] FILE…')
  process.exit(2)
}

const scratch = await mkdtemp(join(tmpdir(), 'mist-bench-'))
const fixture = await startFixture({ s3LatencyMs: S3_LATENCY_MS })
let stepBegan = cpuSoFar()
let steps = new Map<JobStep, StepCost>()
const processor = fixture.processor(
  {},
  {
    onStep(step) {
      const now = cpuSoFar()
      steps.set(step, {
        ownS: now.ownS - stepBegan.ownS,
        childrenS: now.childrenS - stepBegan.childrenS,
      })
      stepBegan = now
    },
  },
)

const middle = (costs: readonly Cost[], key: keyof Cost) => median(costs.map((c) => c[key]))

function rounded(row: Record<string, string | number>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [
      key,
      typeof value === 'number' ? Math.round(value * 1000) / 1000 : value,
    ]),
  )
}

/** Writes a file of that many hours with the same coded sound over and over. */
async function repeat(file: string, hours: number): Promise<string> {
  const long = join(scratch, `${hours}-hours${extname(file)}`)
  const end = String(hours * 3600)
  await ffmpeg(
    [
      '-v',
      'error',
      '-stream_loop',
      '-1',
      '-i',
      file,
      '-map',
      '0:a:0',
      '-c',
      'copy',
      '-t',
      end,
    ].concat(long),
  )
  return long
}

async function runJob(file: string): Promise<JobCost> {
  const { jobId } = await makeUpload(fixture, file)
  steps = new Map()
  stepBegan = cpuSoFar()
  const { result, cost } = await measure(() =>
    processor.run(jobId, { signal: new AbortController().signal, isLastAttempt: true }),
  )
  if (result.kind !== 'completed') throw new Error(`${file}: the job ended as ${result.kind}`)
  return {
    ...cost,
    steps,
    audioS: result.audioS,
    lastByteAfterEncoderMs: result.lastByteAfterEncoderMs ?? 0,
  }
}

try {
  const report = []
  const stepReport = []
  const measured = longHours === null ? files : [await repeat(files[0]!, longHours)]
  for (const [at, file] of measured.entries()) {
    // Once each for nothing: compilers, caches and connections warm up.
    await runJob(files[at]!)
    const bare: Cost[] = []
    const jobs: JobCost[] = []
    for (let run = 0; run < runs; run++) {
      bare.push((await measure(() => encodeBare(file, scratch))).cost)
      jobs.push(await runJob(file))
    }
    report.push({
      file: basename(file),
      audioS: jobs[0]!.audioS,
      runs,
      jobCpuS: middle(jobs, 'cpuS'),
      bareCpuS: middle(bare, 'cpuS'),
      cpuRatio: median(jobs.map((job, run) => job.cpuS / bare[run]!.cpuS)),
      ownCpuS: middle(jobs, 'ownCpuS'),
      jobWallS: middle(jobs, 'wallS'),
      bareWallS: middle(bare, 'wallS'),
      wallRatio: median(jobs.map((job, run) => job.wallS / bare[run]!.wallS)),
      peakMb: Math.max(...jobs.map((job) => job.peakMb)),
      lastByteAfterEncoderMs: median(jobs.map((job) => job.lastByteAfterEncoderMs)),
    })
    stepReport.push(
      ...JOB_STEPS.map((step) => ({
        file: basename(file),
        step,
        ownCpuS: median(jobs.map((job) => job.steps.get(step)?.ownS ?? 0)),
        childrenCpuS: median(jobs.map((job) => job.steps.get(step)?.childrenS ?? 0)),
      })),
    )
  }
  console.table(stepReport.map(rounded))
  console.table(report.map(rounded))
  const ratio = median(report.map((row) => row.cpuRatio))
  console.log(`CPU of a whole job, as a ratio to the bare encode: ${ratio.toFixed(3)} (goal 1.10)`)
  const json = JSON.stringify(
    { s3LatencyMs: S3_LATENCY_MS, cpuRatio: ratio, files: report, steps: stepReport },
    null,
    2,
  )
  if (values.json === undefined) console.log(json)
  else await writeFile(values.json, `${json}\n`)
} finally {
  await fixture.stop()
  await rm(scratch, { recursive: true, force: true })
}
