/**
 * `npm run bench:peaks -- [--ceilings=-1.5,-3] FILE…`: how high the decoded renditions of real
 * tracks peak. Encodes each file as a job does, with the limiters of its plan or with each ceiling
 * given in turn, decodes every rendition and measures sample and true peak.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { readLoudness } from '../../transcoder/src/jobs/transcode/analyse.ts'
import { encodeOptions } from '../../transcoder/src/jobs/transcode/ffmpeg-args.ts'
import {
  makePlan,
  type Plan,
  type RenditionPlan,
} from '../../transcoder/src/jobs/transcode/plan.ts'
import { ffmpeg } from '../lib/ffmpeg.ts'

const LADDER = [64_000, 128_000, 192_000]

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { ceilings: { type: 'string' } },
})
if (files.length === 0) {
  console.error('usage: npm run bench:peaks -- [--ceilings=-1,-2] FILE…')
  process.exit(2)
}

/** All renditions under one ceiling; undefined: as planned. */
function limited(plan: Plan, ceilingDb: number | undefined): RenditionPlan[] {
  if (ceilingDb === undefined) return plan.renditions
  return plan.renditions.map((rendition) => ({ ...rendition, ceilingDb }))
}

const scratch = await mkdtemp(join(tmpdir(), 'mist-peaks-'))
try {
  const rows = []
  for (const file of files) {
    const log = await ffmpeg([
      '-i',
      file,
      '-vn',
      '-af',
      'ebur128=peak=sample:framelog=verbose',
      '-f',
      'null',
      '-',
    ])
    const source = {
      format: { name: 'any', demuxer: 'wav' as const },
      codec: 'any',
      audioStream: 0,
      bitsPerSample: null,
      lossy: false,
      channels: 2,
      sampleRate: 44_100,
      bitrate: null,
      declaredS: null,
    }
    const plan = makePlan(source, readLoudness(log), LADDER)
    for (const ceilingDb of values.ceilings?.split(',').map(Number) ?? [undefined]) {
      const coded = join(scratch, 'coded.mp4')
      await ffmpeg([
        '-i',
        file,
        ...encodeOptions(
          { ...plan, renditions: limited(plan, ceilingDb) },
          { audioStream: 'a:0', isSteady: true },
        ),
        coded,
      ])
      const row: Record<string, string | number | boolean> = {
        file: basename(file),
        ceilingDb: ceilingDb ?? 'as planned',
      }
      for (const [track, { name }] of plan.renditions.entries()) {
        for (const peak of ['sample', 'true']) {
          const heard = await ffmpeg(
            ['-i', coded, '-filter_complex', `[0:a:${track}]ebur128=peak=${peak}:framelog=verbose`]
              // ebur128 takes the place of an encoder: nothing is written.
              .concat(['-f', 'null', '-']),
          )
          row[`${name} ${peak}`] = readLoudness(heard).samplePeakDbfs ?? -Infinity
        }
      }
      rows.push(row)
    }
  }
  console.table(rows)
} finally {
  await rm(scratch, { recursive: true, force: true })
}
