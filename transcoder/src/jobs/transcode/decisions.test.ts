import { readFile } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { demo } from '../../testing/fixture.ts'
import { makeBandwidth } from './bandwidth.ts'
import { isAdtsCutOff, isOggCutOff } from './completeness.ts'
import { describe } from './describe.ts'
import { isDiskFull, isOutage, OutOfTime } from './failures.ts'
import { makePlan, type Loudness } from './plan.ts'
import type { Source } from './source.ts'
import { overallProgress } from './progress.ts'
import { hasChanged, readLoudness } from './analyse.ts'
import { missingSeconds } from './frame-walk.ts'
import { makeStepDeadline, stepLimits } from './step-deadline.ts'
import { sniff } from './source-format.ts'
import { readTags } from './tags.ts'

const source: Source = {
  format: { demuxer: 'flac', name: 'FLAC' },
  codec: 'flac',
  audioStream: 0,
  bitsPerSample: 16,
  lossy: false,
  channels: 2,
  sampleRate: 44_100,
  bitrate: 900_000,
  declaredS: 100,
}
const loudness: Loudness = { integratedLufs: -20, samplePeakDbfs: -9 }
const summary = (i: string, peak: string) =>
  `Summary:\n  Integrated loudness:\n    I: ${i} LUFS\n  Sample peak:\n    Peak: ${peak} dBFS`

const coded = (code: string) => Object.assign(new Error('x'), { code })

const LADDER = [64_000, 128_000, 192_000]

/** The gain, and the limiter's ceiling in each rendition. */
const ceilings = (integratedLufs: number, samplePeakDbfs: number | null) => {
  const { gainDb, renditions } = makePlan(source, { integratedLufs, samplePeakDbfs }, LADDER)
  return [gainDb, ...renditions.map(({ ceilingDb }) => ceilingDb)]
}

test('the gain brings a track to -14 LUFS; the limiter works only where peaks come near the ceiling', () => {
  expect(ceilings(-20, -11.1)).toEqual([6, null, null, null])
  // Coded at 64 kbit/s, peaks rise higher.
  expect(ceilings(-20, -10.9)).toEqual([6, -4, null, null])
  expect(ceilings(-20, -8.4)).toEqual([6, -4, -1.5, -1.5])
  expect(ceilings(-8, 0.4)).toEqual([-6, null, null, null])
})

test('silence is not amplified, and a whisper not without end', () => {
  const silent = makePlan(source, { integratedLufs: -70, samplePeakDbfs: null }, LADDER)
  expect(silent.gainDb).toBe(0)
  expect(silent.renditions.map(({ ceilingDb }) => ceilingDb)).toEqual([null, null, null])
  expect(makePlan(source, { integratedLufs: -60, samplePeakDbfs: -50 }, LADDER).gainDb).toBe(30)
})

test.each([
  [48_000, 48_000],
  [44_100, 44_100],
  [96_000, 44_100],
  [8000, 44_100],
])('a source at %i Hz is encoded at %i Hz', (from, to) => {
  expect(makePlan({ ...source, sampleRate: from }, loudness, LADDER).sampleRate).toBe(to)
})

test.each([
  ['a lossless source feeds every rung', false, 100_000, ['64k', '128k', '192k']],
  ['48 kbit/s feed up to 144', true, 48_000, ['64k', '128k']],
  ['16 kbit/s still get the lowest rung', true, 16_000, ['64k']],
])('%s', (_, lossy, bitrate, names) => {
  const { renditions } = makePlan({ ...source, lossy, bitrate }, loudness, LADDER)
  expect(renditions.map(({ name }) => name)).toEqual(names)
})

test('the peak bandwidth looks at runs of half to one and a half segments', () => {
  const meter = makeBandwidth(48_000)
  meter.add(64_000, 4 * 48_000)
  meter.add(72_000, 4 * 48_000)
  // A tenth of a second: alone it would be 320 kbit/s.
  meter.add(4000, 4800)
  expect(meter.finish()).toEqual({
    peakBandwidth: Math.ceil((76_000 * 8) / 4.1),
    averageBandwidth: Math.ceil((140_000 * 8) / 8.1),
  })
})

test('progress rises from 0 to 1 over the steps', () => {
  const steps = ['download', 'probe', 'analyse', 'encode', 'publish'] as const
  const shares = steps.flatMap((step) => [0, 0.5, 1].map((share) => overallProgress(step, share)))
  expect(shares).toEqual([...shares].sort((a, b) => a - b))
  expect(shares[0]).toBe(0)
  expect(shares.at(-1)).toBeCloseTo(1)
})

test('the summary of ebur128 is read, that of silence too', () => {
  expect(readLoudness(summary('-17.2', '-0.4'))).toEqual({
    integratedLufs: -17.2,
    samplePeakDbfs: -0.4,
  })
  expect(readLoudness(summary('-70.0', '-inf'))).toEqual({
    integratedLufs: -70,
    samplePeakDbfs: null,
  })
  expect(() => readLoudness('nothing')).toThrow('no loudness')
})

test.each([
  ['fLaC\0\0\0\x22', 'flac'],
  ['OggS\0\x02', 'ogg'],
  ['RIFF\x24\0\0\0WAVEfmt ', 'wav'],
  ['FORM\0\0\0\x20AIFC', 'aiff'],
  ['\0\0\0\x20ftypM4A ', 'mov'],
])('%j is recognised by its first bytes', (bytes, demuxer) => {
  expect(sniff({ head: Buffer.from(bytes, 'latin1'), tagged: false }).demuxer).toBe(demuxer)
})

test.each([
  ['#EXTM3U\n#EXTINF:9,\n/etc/passwd\n', 'not-audio', 'text file'],
  ['ffconcat version 1.0\nfile x.wav\n', 'not-audio', 'text file'],
  ['\x1aE\xdf\xa3 whatever', 'unsupported-format', 'Matroska'],
  ['\0\x01\x02\x03\x04\x05', 'not-audio', 'not an audio file'],
  ['RIFF\0\0\0\0AVI LIST', 'unsupported-format', 'AVI'],
])('%j is refused', (bytes, code, words) => {
  const head = Buffer.from(bytes, 'latin1')
  expect(() => sniff({ head, tagged: false })).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(words) }),
  )
})

test('one sync word in rubbish is no MP3', () => {
  const head = Buffer.alloc(4000, 0x55)
  head.set([0xff, 0xfb, 0x90, 0x00], 100)
  expect(() => sniff({ head, tagged: false })).toThrow(
    expect.objectContaining({ code: 'not-audio' }),
  )
  // 128 kbit/s at 44.1 kHz: 417 bytes to the next.
  head.set([0xff, 0xfb, 0x90, 0x00], 517)
  expect(sniff({ head, tagged: false }).demuxer).toBe('mp3')
})

test('a last Ogg page that is not whole, or not what it was, is seen', async () => {
  const file = await readFile(demo('vibe-ace.ogg'))
  const tail = file.subarray(-100_000)
  expect(isOggCutOff(tail)).toBe(false)
  expect(isOggCutOff(tail.subarray(0, -1))).toBe(true)
  const zeroed = Buffer.concat([tail.subarray(0, -100), Buffer.alloc(100)])
  expect(isOggCutOff(zeroed)).toBe(true)
})

test('a last ADTS frame that is not whole is seen, a tag behind the last is fine', () => {
  const frame = Buffer.alloc(200)
  frame.set([0xff, 0xf1, 0x50, 0x80, 200 >> 3, (200 & 7) << 5, 0])
  const frames = Buffer.concat(Array<Buffer>(8).fill(frame))
  expect(isAdtsCutOff(frames)).toBe(false)
  expect(isAdtsCutOff(Buffer.concat([frames, Buffer.from('TAG'), Buffer.alloc(125)]))).toBe(false)
  expect(isAdtsCutOff(frames.subarray(0, -50))).toBe(true)
})

test('replaced audio keeps what an admin wrote, but for what comes with the upload', () => {
  const tags = readTags([
    { tag: 'id3v2', name: 'TIT2', values: ['From the file'] },
    { tag: 'id3v2', name: 'TPE1', values: ['Someone'] },
  ])
  expect(describe('replace', { album: ' New ' }, tags, [])).toMatchObject({
    album: 'New',
    title: undefined,
    artists: undefined,
  })
  expect(describe('ingest', {}, tags, [])).toMatchObject({
    title: 'From the file',
    artists: ['Someone'],
  })
  expect(describe('ingest', {}, readTags([]), []).artists).toEqual(['Unknown artist'])
})

test('tags that are read anew say all that no admin wrote, also that there is nothing', () => {
  const tags = readTags([
    { tag: 'id3v2', name: 'TIT2', values: ['From the file'] },
    { tag: 'id3v2', name: 'TPE1', values: ['Someone'] },
    { tag: 'id3v2', name: 'TPE2', values: ['Somebody'] },
    { tag: 'id3v2', name: 'TALB', values: ['Album'] },
  ])
  expect(describe('retag', { title: 'Old upload' }, tags, [])).toEqual({
    title: 'From the file',
    artists: ['Someone'],
    albumArtist: 'Somebody',
    album: 'Album',
    genres: [],
    year: null,
    trackNumber: null,
  })
  expect(describe('retag', {}, tags, ['artists', 'year', 'genres'])).toEqual({
    title: 'From the file',
    // An album of whoever the admin says it is by.
    albumArtist: undefined,
    album: 'Album',
    trackNumber: null,
  })
  expect(describe('retag', {}, readTags([]), [])).toMatchObject({
    title: undefined,
    artists: undefined,
    album: null,
  })
})

test('identifiers of MusicBrainz go with the names that they are of, where each name has one', () => {
  const [one, two, release] = [1, 2, 3].map((n) => `0000000${n}-0000-4000-8000-000000000000`)
  const fields = (ids: string[]) => [
    { tag: 'vorbis' as const, name: 'ARTIST', values: ['A', 'B'] },
    { tag: 'vorbis' as const, name: 'ALBUM', values: ['Album'] },
    { tag: 'vorbis' as const, name: 'MUSICBRAINZ_ARTISTID', values: ids },
    { tag: 'vorbis' as const, name: 'MUSICBRAINZ_ALBUMID', values: [release!] },
  ]
  const told = describe('ingest', {}, readTags(fields([one!, two!])), [])
  expect([told.mbids, told.albumMbid]).toEqual([{ A: one, B: two }, release])
  expect(describe('ingest', {}, readTags(fields([one!])), []).mbids).toBeUndefined()
  expect(describe('ingest', { album: 'Typed' }, readTags(fields([])), []).albumMbid).toBeUndefined()
})

test('what an admin corrects before a track is published stays, too', () => {
  const tags = readTags([{ tag: 'id3v2', name: 'TIT2', values: ['From the file'] }])
  const told = describe('ingest', { title: 'Typed', album: 'Typed' }, tags, ['title', 'artists'])
  expect(told).toMatchObject({ album: 'Typed', albumArtist: undefined })
  expect(told).not.toHaveProperty('title')
  expect(told).not.toHaveProperty('artists')
})

test('outages are told from faults', () => {
  for (const error of [
    coded('ECONNREFUSED'),
    coded('57P01'),
    new Error('wrapped', { cause: coded('ECONNRESET') }),
    Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } }),
    new Error('Connection terminated unexpectedly'),
  ]) {
    expect(isOutage(error)).toBe(true)
  }
  for (const error of [coded('23505'), new Error('no'), 'text', coded('ENOSPC')]) {
    expect(isOutage(error)).toBe(false)
  }
  expect(isDiskFull(new Error('wrapped', { cause: coded('ENOSPC') }))).toBe(true)
})

test('filters that were built anew in the middle are seen by what they say', () => {
  const steady = `${summary('-70', '-inf')}\nOutput #0, f32le\n${summary('-20', '-9')}`
  expect(hasChanged(steady)).toBe(false)
  expect(hasChanged(`${steady}\n${summary('-70', '-inf')}`)).toBe(true)
  // So many of them that the start of the log is gone.
  expect(hasChanged(summary('-20', '-9').repeat(20))).toBe(true)
})

test('a hole of zeros counts from half a second on, other strange bytes from a fifth of the file on', () => {
  const walk = { frameBytes: 160_000, holeBytes: 0, strayBytes: 0, endsWhole: true }
  expect(missingSeconds(walk, 10)).toBe(0)
  expect(missingSeconds({ ...walk, holeBytes: 7000, strayBytes: 7000 }, 10)).toBe(0)
  expect(missingSeconds({ ...walk, holeBytes: 16_000, strayBytes: 16_000 }, 10)).toBe(1)
  expect(missingSeconds({ ...walk, strayBytes: 30_000 }, 10)).toBe(0)
  expect(missingSeconds({ ...walk, strayBytes: 160_000 }, 10)).toBe(10)
})

test('a step that takes too long ends the run, and each step begins anew', () => {
  vi.useFakeTimers()
  try {
    const deadline = makeStepDeadline(stepLimits(100))
    deadline.begin('download')
    vi.advanceTimersByTime(3_599_000)
    deadline.begin('probe')
    vi.advanceTimersByTime(299_000)
    expect(deadline.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1000)
    expect(deadline.signal.reason).toBeInstanceOf(OutOfTime)
  } finally {
    vi.useRealTimers()
  }
})

test('AAC in LATM and MP3 in the free format are named, not taken for rubbish', () => {
  const latm = Buffer.alloc(66)
  latm.set([0x56, 0xe0, 30])
  latm.set([0x56, 0xe0, 30], 33)
  const free = Buffer.alloc(2000)
  for (const at of [0, 500, 1001, 1501]) free.set([0xff, 0xfb, at === 500 ? 0x02 : 0, 0x44], at)
  for (const head of [latm, free]) {
    expect(() => sniff({ head, tagged: false })).toThrow(
      expect.objectContaining({ code: 'unsupported-format' }),
    )
  }
})
