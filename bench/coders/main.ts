/**
 * `npm run bench:coders -- [--seconds N] [--bitrates 64,128,192] [--variants=A,B] [--json FILE] FILE…`:
 * what ffmpeg's AAC encoder costs and how near it comes to the source, with its default settings and
 * with others, at each bitrate. The choice of coders rests on this table.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { readLoudness } from '../../transcoder/src/jobs/transcode/analyse.ts'
import { cpuSoFar } from '../ingest/measure.ts'
import { ffmpeg } from '../lib/ffmpeg.ts'
import { mean, median } from '../lib/statistics.ts'
import { measureQuality, type Quality } from './noise-to-mask.ts'

const RATE = 44_100
/** Samples that the encoder puts in front, which ADTS has no way to declare. */
const PRIMING = 1024
/** What every track is brought to before it is encoded, as in a job. */
const TARGET_LUFS = -14

/** The first is ffmpeg's default, against which the others are held. */
const VARIANTS: readonly string[] = [
  '-aac_coder twoloop',
  '-aac_coder twoloop -aac_tns 0',
  '-aac_coder twoloop -aac_is 0',
  '-aac_coder twoloop -aac_pns 0 -aac_is 0 -aac_tns 0',
  '-aac_coder fast',
  '-aac_coder fast -aac_tns 0',
  '-aac_coder fast -aac_is 0',
  '-aac_coder fast -aac_pns 0 -aac_is 0',
]

type Row = Quality & { bitrate: number; variant: string; kbps: number; cpuS: number; file: string }

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    bitrates: { type: 'string', default: '64,128,192' },
    variants: { type: 'string' },
    json: { type: 'string' },
  },
})
if (files.length === 0) {
  console.error('usage: npm run bench:coders -- [--seconds N] [--bitrates 64,128] FILE…')
  process.exit(2)
}
const variants = values.variants?.split(',') ?? VARIANTS

/** Left and right. */
async function readStereo(file: string): Promise<[Float32Array, Float32Array]> {
  const bytes = await readFile(file)
  const both = new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4))
  const side = (offset: number) =>
    Float32Array.from({ length: both.length / 2 }, (_, i) => both[2 * i + offset]!)
  return [side(0), side(1)]
}

const RAW = ['-f', 'f32le', '-ar', String(RATE), '-ac', '2']

const scratch = await mkdtemp(join(tmpdir(), 'mist-coders-'))
const rows: Row[] = []
try {
  for (const file of files) {
    const source = join(scratch, 'source.f32')
    const loudness = await ffmpeg([
      '-i',
      file,
      '-af',
      'ebur128=framelog=verbose',
      '-f',
      'null',
      '-',
    ])
    const gain = TARGET_LUFS - readLoudness(loudness).integratedLufs
    await ffmpeg(
      ['-i', file, '-map', '0:a:0', '-t', values.seconds, '-af']
        .concat(`aformat=channel_layouts=stereo,aresample=${RATE},volume=${gain}dB:precision=float`)
        .concat(RAW, source),
    )
    const reference = await readStereo(source)
    const seconds = reference[0].length / RATE
    for (const bitrate of values.bitrates.split(',').map(Number)) {
      for (const variant of variants) {
        const coded = join(scratch, 'coded.aac')
        const decoded = join(scratch, 'decoded.f32')
        const before = cpuSoFar().childrenS
        await ffmpeg(
          [...RAW, '-i', source, '-c:a', 'aac', '-b:a', `${bitrate}k`].concat(
            variant.split(' '),
            coded,
          ),
        )
        const cpuS = cpuSoFar().childrenS - before
        await ffmpeg(['-i', coded, ...RAW, decoded])
        const after = await readStereo(decoded)
        const sides = reference.map((side, i) =>
          measureQuality(side, after[i]!.subarray(PRIMING), RATE),
        )
        const both = (key: keyof Quality) => mean(sides.map((side) => side[key]))
        const frames = Math.ceil((seconds * RATE + PRIMING) / 1024)
        const bytes = (await stat(coded)).size - 7 * frames
        rows.push({
          file: basename(file),
          bitrate,
          variant,
          kbps: (bytes * 8) / 1000 / seconds,
          // Of a minute of audio.
          cpuS: (cpuS * 60) / seconds,
          noiseToMaskDb: both('noiseToMaskDb'),
          worstFramesDb: both('worstFramesDb'),
          distortedFrames: both('distortedFrames'),
          spectralDistanceDb: both('spectralDistanceDb'),
        })
      }
    }
  }
  for (const bitrate of new Set(rows.map((row) => row.bitrate))) {
    const of = (variant: string) =>
      rows.filter((row) => row.bitrate === bitrate && row.variant === variant)
    const standard = of(variants[0]!)
    console.log(`\n${bitrate} kbit/s, mean of ${standard.length} tracks`)
    console.table(
      variants.map((variant) => {
        const mine = of(variant)
        const average = (key: keyof Quality | 'kbps' | 'cpuS') =>
          Math.round(mean(mine.map((row) => row[key])) * 1000) / 1000
        const gains = mine.map((row, i) => standard[i]!.noiseToMaskDb - row.noiseToMaskDb)
        return {
          variant,
          kbps: average('kbps'),
          cpuSPerMin: average('cpuS'),
          nmrDb: average('noiseToMaskDb'),
          nmrGainMedian: Math.round(median(gains) * 100) / 100,
          nmrGainWorst: Math.round(Math.min(...gains) * 100) / 100,
          p95Db: average('worstFramesDb'),
          distorted: average('distortedFrames'),
          distanceDb: average('spectralDistanceDb'),
        }
      }),
    )
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
} finally {
  await rm(scratch, { recursive: true, force: true })
}
