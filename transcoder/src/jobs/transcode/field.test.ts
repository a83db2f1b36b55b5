import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { segmentCount } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFixture, type Fixture } from '../../testing/fixture.ts'
import {
  decode,
  decodeFile,
  exportHls,
  listKeys,
  loudnessOf,
  synthesise,
} from '../../testing/hls.ts'
import { ffmpegOptions } from '../../options.ts'
import { makeFfmpeg } from '../../platform/ffmpeg/index.ts'
import { makeUpload } from '../../testing/uploads.ts'
import { refuseCutOff } from './completeness.ts'
import { UnplayableSource } from './failures.ts'
import { probe } from './probe.ts'
import { readSourceFormat } from './source-format.ts'

/** Files of the kind that people report to music servers; the folder's README says what each must come to. */
const field = (name: string) =>
  fileURLToPath(new URL(`../../../fixtures/field/${name}`, import.meta.url))

const calm = { signal: new AbortController().signal, isLastAttempt: false }

let fixture: Fixture
beforeAll(async () => {
  fixture = await startFixture({ env: { LADDER: '64' } })
})
afterAll(() => fixture?.stop())

const path = (name: string) => join(fixture.files, name)

const tone = (hz: number, seconds: number, ...more: string[]) => [
  '-f',
  'lavfi',
  '-i',
  `sine=${hz}:r=44100:d=${seconds}`,
  ...more,
]

async function ingest(original: string | Uint8Array, changes: Record<string, string> = {}) {
  const upload = await makeUpload(fixture, original)
  const outcome = await fixture.processor(changes).run(upload.jobId, calm)
  const { db } = fixture
  const [job] = await db.select().from(schema.jobs).where(eq(schema.jobs.id, upload.jobId))
  return { ...upload, outcome, job: job! }
}

/** What came of a file: a reason in one attempt, or the seconds that were published and what they measure. */
async function outcomeOf(original: string | Uint8Array, changes: Record<string, string> = {}) {
  const { trackId, outcome, job } = await ingest(original, changes)
  if (outcome.kind !== 'completed') {
    const hasSentence = /^[A-Z].*\.$/.test(job.errorDetail ?? '')
    return { kind: outcome.kind, code: job.errorCode, attempts: job.attempts, hasSentence }
  }
  const { db } = fixture
  const [track] = await db.select().from(schema.tracks).where(eq(schema.tracks.id, trackId))
  const [version] = await db
    .select()
    .from(schema.trackVersions)
    .where(and(eq(schema.trackVersions.trackId, trackId), eq(schema.trackVersions.version, 1)))
  const playlist = await exportHls(fixture, trackId, '64k', path(trackId))
  const pcm = await decode(playlist)
  // Priming is skipped by every player; the padding of the last frame by those that join tracks.
  expect(pcm.length / 2).toBe(version!.sampleCount! + version!.paddingSamples!)
  const peak = pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const segments = await listKeys(fixture.s3, 'media', `tracks/${trackId}/1/64k/`)
  const [sampleCount, sampleRate, primingSamples] = [
    version!.sampleCount!,
    version!.sampleRate!,
    version!.primingSamples!,
  ]
  expect(segments.filter((key) => key.endsWith('.m4s'))).toHaveLength(
    segmentCount({ sampleCount, sampleRate, primingSamples }),
  )
  return {
    kind: outcome.kind,
    playlist,
    durationS: track!.durationS!,
    sampleCount,
    loudnessLufs: track!.loudnessLufs!,
    /** Of what listeners get, 0…1. */
    peak: peak / 32_768,
    gainDb: version!.gainDb!,
    segments: segments.filter((key) => key.endsWith('.m4s')).length,
  }
}

const refused = (code: string) => ({ kind: 'failed', code, attempts: 1, hasSentence: true })
const lasting = (seconds: number) => ({
  kind: 'completed',
  durationS: expect.closeTo(seconds, 1) as number,
})

test.each([
  ['end-3.99s.flac', 175_959, 1],
  ['end-4s.flac', 176_400, 1],
  ['end-4.03s.flac', 177_723, 1],
])(
  '%s is published to the sample, and its last segment can stand alone',
  async (name, samples, segments) => {
    expect(await outcomeOf(field(name))).toMatchObject({ sampleCount: samples, segments })
  },
)

test('twelve seconds are three segments, however they were coded', async () => {
  expect(await outcomeOf(field('end-12s.mp3'))).toMatchObject({ ...lasting(12), segments: 3 })
})

test.each([
  [8, -1024],
  [8, 0],
  [8, 1],
  [16, 0],
  [16, 1024],
] as const)('%i s and %i samples decode to just as many', async (seconds, off) => {
  const samples = seconds * 44_100 + off
  const file = await synthesise(path(`edge-${seconds}${off}.wav`), [
    ...tone(440, seconds + 1),
    '-af',
    `atrim=end_sample=${samples}`,
  ])
  expect(await outcomeOf(file)).toMatchObject({ sampleCount: samples, segments: seconds / 4 })
})

test.each([
  ['change-one-mono-frame.mp3', 8.07],
  ['change-stereo-mono.mp3', 8.1],
  ['change-stereo-mono.ogg', 8],
])('%s is published whole, though its channels change', async (name, seconds) => {
  const published = await outcomeOf(field(name))
  expect(published).toMatchObject(lasting(seconds))
  expect(published.durationS).toBeGreaterThan(seconds - 0.1)
})

test('the loudness is that of the whole file, not of its quiet end', async () => {
  const published = await outcomeOf(field('change-loud-quiet.mp3'))
  expect(published).toMatchObject(lasting(8.07))
  const own = await decodeFile(field('change-loud-quiet.mp3'))
  expect(own.length / 2 / 44_100).toBeCloseTo(8.07, 1)
  expect(published.gainDb).toBeLessThan(0)
  expect(published.peak).toBeLessThan(1)
  // Six seconds of a tone at −9.6 dBFS in both channels, which BS.1770 adds up; the quiet rest is gated.
  expect(published.loudnessLufs).toBeCloseTo(-7.25, 0)
  expect(published.loudnessLufs! + published.gainDb!).toBeCloseTo(-14, 1)
  expect(Math.abs((await loudnessOf(published.playlist!)) + 14)).toBeLessThan(0.3)
})

test('one channel, and the same sound in two, come out equally loud, though the two measure 3 dB more', async () => {
  const twice = ['-af', 'pan=stereo|c0=c0|c1=c0']
  const mono = await outcomeOf(await synthesise(path('mono.flac'), tone(440, 5)))
  const twin = await outcomeOf(await synthesise(path('twin.flac'), tone(440, 5, ...twice)))
  expect(twin.loudnessLufs! - mono.loudnessLufs!).toBeCloseTo(3.01, 0)
  for (const { playlist, gainDb, loudnessLufs } of [mono, twin]) {
    expect(loudnessLufs! + gainDb!).toBeCloseTo(-14, 1)
    expect(Math.abs((await loudnessOf(playlist!)) + 14)).toBeLessThan(0.3)
  }
})

test('side streams are nobody’s business', async () => {
  expect(await outcomeOf(field('side-ac3.mp4'))).toMatchObject({ kind: 'completed' })
  expect(await outcomeOf(field('side-lyrics.mp4'))).toMatchObject(lasting(2))
})

test('an MP3 of which four fifths are zeros is truncated, in one attempt', async () => {
  expect(await outcomeOf(field('zeros-80-percent.mp3'))).toEqual(refused('truncated'))
})

test('a FLAC of 32 bits is published, or refused for what it is', async () => {
  const { kind, code = null } = await outcomeOf(field('flac-32-bit.flac'))
  // ffmpeg decodes such files from version 6 on.
  expect([
    ['completed', null],
    ['failed', 'unsupported-format'],
  ]).toContainEqual([kind, code])
})

const coded = async (name: string, hz: number, seconds: number, ...codec: string[]) =>
  readFile(await synthesise(path(name), tone(hz, seconds, ...codec)))

test('an M4A of which the rest is zeros is truncated, in one attempt', async () => {
  const whole = await coded('whole.m4a', 440, 8, '-c:a', 'aac', '-movflags', '+faststart')
  const mdat = whole.indexOf('mdat') + 4
  for (const kept of [0, 0.2, 0.6]) {
    const from = mdat + Math.floor(kept * (whole.length - mdat))
    const filled = Buffer.concat([whole.subarray(0, from), Buffer.alloc(whole.length - from)])
    expect(await outcomeOf(filled)).toEqual(refused('truncated'))
  }
})

test('an MP3 whose header overstates its length is whole if its frames go on to its end', async () => {
  const whole = await coded('xing.mp3', 440, 6, '-c:a', 'libmp3lame')
  const frames = whole.indexOf('Info') + 8
  whole.writeUInt32BE(whole.readUInt32BE(frames) * 2, frames)
  expect(await outcomeOf(whole)).toMatchObject(lasting(6))
  expect(await outcomeOf(whole.subarray(0, -50))).toEqual(refused('truncated'))
})

test('holes of zeros in an MP3 are told; rubbish between its frames and joins are no reason', async () => {
  const bytes = await coded('bare.mp3', 440, 6, '-c:a', 'libmp3lame', '-write_xing', '0')
  const rubbish = Buffer.from('no frame of music. '.repeat(200))
  const middle = Math.floor(bytes.length / 2)
  const [start, end] = [bytes.subarray(0, middle), bytes.subarray(middle)]
  expect(await outcomeOf(Buffer.concat([start, rubbish, end]))).toMatchObject(lasting(6))
  const hole = Buffer.concat([start, Buffer.alloc(20_000), end.subarray(20_000)])
  expect(await outcomeOf(hole)).toEqual(refused('truncated'))
  const tagged = await coded('tagged.mp3', 660, 6, '-c:a', 'libmp3lame', '-metadata', 'title=x')
  const joined = await outcomeOf(Buffer.concat([tagged, tagged]))
  expect(joined).toMatchObject({ kind: 'completed' })
  expect(Math.abs(Number(joined.durationS) - 12)).toBeLessThan(0.1)
})

test('what stands before the music is passed over: a large APE tag, zeros behind an ID3 tag', async () => {
  const tagged = await coded('front.mp3', 440, 6, '-c:a', 'libmp3lame', '-metadata', 'title=x')
  const music = tagged.indexOf('Info') - 36
  const zeros = [tagged.subarray(0, music), Buffer.alloc(100_000), tagged.subarray(music)]
  expect(await outcomeOf(Buffer.concat(zeros))).toMatchObject(lasting(6))
  const ape = Buffer.alloc(90_000, 'A')
  ape.write('APETAGEX')
  ape.writeUInt32LE(2000, 8)
  ape.writeUInt32LE(ape.length - 32, 12)
  expect(await outcomeOf(Buffer.concat([ape, tagged.subarray(music)]))).toMatchObject(lasting(6))
})

const joins = {
  vorbis: () => coded('one.ogg', 440, 2, '-c:a', 'libvorbis'),
  faster: () => coded('two.ogg', 660, 2, '-ar', '48000', '-ac', '2', '-c:a', 'libvorbis'),
  opus: () => coded('three.opus', 440, 2, '-ac', '2', '-c:a', 'libopus'),
  mono: () => coded('four.opus', 440, 2, '-c:a', 'libopus'),
  flac: () => coded('five.oga', 440, 2, '-c:a', 'flac', '-f', 'ogg'),
  adts: () => coded('one.aac', 440, 2, '-c:a', 'aac', '-f', 'adts'),
  stereo: () => coded('two.aac', 440, 2, '-ac', '2', '-c:a', 'aac', '-f', 'adts'),
  slow: () => coded('slow.aac', 440, 2, '-ar', '32000', '-c:a', 'aac', '-f', 'adts'),
}

test.each([
  ['vorbis', 'faster'],
  ['faster', 'vorbis'],
  ['opus', 'mono'],
  ['flac', 'flac'],
  ['adts', 'stereo'],
  ['stereo', 'adts'],
  ['adts', 'slow'],
] as const)('%s and %s in one file are published whole', async (first, second) => {
  const joined = await outcomeOf(Buffer.concat([await joins[first](), await joins[second]()]))
  expect(joined).toMatchObject({ kind: 'completed' })
  // Delay and padding of an encoder, where nothing tells a decoder to leave them out.
  const slackS = first === 'adts' || first === 'stereo' ? 0.2 : 0.1
  expect(Math.abs(Number(joined.durationS) - 4)).toBeLessThan(slackS)
})

test('a chain of two codecs, of which ffmpeg reads the first alone, is not published', async () => {
  const chain = Buffer.concat([await joins.vorbis(), await joins.opus()])
  expect(await outcomeOf(chain)).toEqual(refused('truncated'))
})

test('an Ogg file of which the rest is zeros is truncated', async () => {
  const whole = await joins.opus()
  const from = Math.floor(whole.length * 0.7)
  const filled = Buffer.concat([whole.subarray(0, from), Buffer.alloc(whole.length - from)])
  expect(await outcomeOf(filled)).toEqual(refused('truncated'))
})

test.each([0xffff_ffff, 0])(
  'a WAV written as a stream, of %i bytes, is published',
  async (size) => {
    const endless = await coded('stream.wav', 440, 2)
    endless.writeUInt32LE(size, endless.indexOf('data') + 4)
    expect(await outcomeOf(endless)).toMatchObject(lasting(2))
  },
)

test.each([
  ['RF64', 'rf64.wav', ['-rf64', 'always']],
  ['AIFF-C', 'aifc.aiff', ['-c:a', 'pcm_s16le', '-f', 'aiff']],
  ['ALAC', 'alac.m4a', ['-c:a', 'alac']],
])('%s is published', async (_, name, codec) => {
  expect(await outcomeOf(await coded(name, 440, 2, ...codec))).toMatchObject(lasting(2))
})

test('an M4A that an edit list shortens lasts as long as the list says', async () => {
  const file = await synthesise(path('long.m4a'), tone(440, 10, '-c:a', 'aac'))
  const cut = await synthesise(path('cut.m4a'), ['-ss', '3', '-i', file, '-c', 'copy'])
  expect(await outcomeOf(cut)).toMatchObject(lasting(7))
})

test('pictures, data and chapters of any kind are nobody’s business', async () => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc=d=3:s=64x64:r=25']
  const clip = await synthesise(path('clip.mov'), [
    ...tone(440, 3, ...picture),
    ...'-c:v prores -timecode 00:00:00:00 -c:a aac -shortest'.split(' '),
  ])
  expect(await outcomeOf(clip)).toMatchObject(lasting(3))
  const old = await synthesise(path('old.mov'), [
    ...tone(440, 3, ...picture),
    ...'-c:v svq1 -c:a pcm_s16le -shortest'.split(' '),
  ])
  expect(await outcomeOf(old)).toMatchObject(lasting(3))
})

/** Four bytes of seven bits (ID3v2.4 §6.2). */
const size = (bytes: number) => Buffer.from([21, 14, 7, 0].map((shift) => (bytes >> shift) & 127))

test('five megabytes of tags keep nobody from hearing the music', async () => {
  const music = await coded('tags.mp3', 440, 3, '-c:a', 'libmp3lame', '-id3v2_version', '0')
  const text = Buffer.alloc(5_000_000, 'x')
  text.write('\0a\0', 'latin1')
  const frame = Buffer.concat([Buffer.from('TXXX'), size(text.length), Buffer.alloc(2), text])
  const head = Buffer.concat([Buffer.from('ID3\x04\0\0', 'latin1'), size(frame.length)])
  expect(await outcomeOf(Buffer.concat([head, frame, music]))).toMatchObject(lasting(3))
})

/** Frames of 500 bytes of silence in the free format: a bitrate index of 0. */
function freeFormat(): Buffer {
  const frame = Buffer.alloc(500)
  Buffer.from([0xff, 0xfb, 0x00, 0x44]).copy(frame)
  return Buffer.concat(Array<Buffer>(200).fill(frame))
}

test.each([
  ['the free format of MP3', async () => freeFormat(), 'free format'],
  ['LATM', async () => coded('a.latm', 440, 3, '-c:a', 'aac', '-f', 'latm'), 'LATM'],
  ['WavPack', async () => coded('a.wv', 440, 3), 'WavPack'],
  ['Matroska', async () => coded('a.mka', 440, 3, '-c:a', 'aac'), 'Matroska'],
  ['WebM', async () => coded('a.webm', 440, 3, '-c:a', 'libopus'), 'Matroska or WebM'],
])('%s is refused by its name', async (_, make, name) => {
  const { outcome, job } = await ingest(await make())
  expect(outcome).toMatchObject({ kind: 'failed', code: 'unsupported-format' })
  expect(job).toMatchObject({ attempts: 1, errorDetail: expect.stringContaining(name) as string })
})

/** A chunk or box of no content, as often as it takes to fill 64 MB, behind a header. */
const empties = (header: string, chunk: string) =>
  Buffer.concat([
    Buffer.from(header, 'latin1'),
    Buffer.alloc(64 * 1024 ** 2, Buffer.from(chunk, 'latin1')),
  ])

test.each([
  ['WAV', 'RIFF\0\0\0\x04WAVE', 'junk\0\0\0\0'],
  ['AIFF', 'FORM\x04\0\0\0AIFF', 'JUNK\0\0\0\0'],
  ['MP4', '\0\0\0\x10ftypM4A \0\0\0\0', '\0\0\0\x08free'],
  ['FLAC', 'fLaC', '\x01\0\0\0'],
])(
  '64 MB of empty parts in a %s are refused for good',
  async (_, header, part) => {
    const file = 'empty-parts'
    await writeFile(path(file), empties(header, part))
    const { signal } = calm
    const { MAX_DURATION_S, MIN_DURATION_S, MAX_CHANNELS, MAX_SAMPLE_RATE } = fixture.env
    const limits = {
      maxDurationS: MAX_DURATION_S,
      minDurationS: MIN_DURATION_S,
      maxChannels: MAX_CHANNELS,
      maxSampleRate: MAX_SAMPLE_RATE,
    }
    const ffmpeg = makeFfmpeg(ffmpegOptions(fixture.env))
    const cpu = process.cpuUsage()
    const refusal = (async () => {
      const format = await readSourceFormat(path(file))
      await refuseCutOff(path(file), format, signal)
      return probe({ ffmpeg, folder: fixture.files, file, format, limits, signal })
    })()
    await expect(refusal).rejects.toBeInstanceOf(UnplayableSource)
    // Ours; ffprobe's is limited by the kernel.
    expect(process.cpuUsage(cpu).user / 1e6).toBeLessThan(5)
  },
  180_000,
)

test('a file on which ffprobe uses up its time is refused at once', async () => {
  const script =
    "#!/bin/sh\ncase $* in *-decoders*) echo ' A....D flac FLAC';; *) while :; do :; done;; esac\n"
  await writeFile(path('busy.sh'), script, { mode: 0o755 })
  const options = ffmpegOptions(fixture.env)
  const ffmpeg = makeFfmpeg({
    ...options,
    ffprobePath: path('busy.sh'),
    limits: { ...options.limits, cpuS: 2 },
  })
  const format = { demuxer: 'wav', name: 'WAV' } as const
  const limits = { maxDurationS: 9, minDurationS: 0, maxChannels: 2, maxSampleRate: 48_000 }
  const { signal } = calm
  await expect(
    probe({ ffmpeg, folder: fixture.files, file: 'busy.sh', format, limits, signal }),
  ).rejects.toMatchObject({ name: 'UnplayableSource', code: 'timed-out' })
}, 180_000)
