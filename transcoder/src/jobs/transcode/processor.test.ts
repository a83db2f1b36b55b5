import { execFile } from 'node:child_process'
import { createDecipheriv } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import {
  frameCount,
  segmentCount,
  segmentSizes,
  segmentStartFrame,
  unpackSizes,
} from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demo, startFixture, type Fixture } from '../../testing/fixture.ts'
import {
  correlation,
  decode,
  decodeFile,
  exportHls,
  getMedia,
  listKeys,
  synthesise,
} from '../../testing/hls.ts'
import { makeUpload, type TestUpload } from '../../testing/uploads.ts'

const run = promisify(execFile)
const calm = { signal: new AbortController().signal, isLastAttempt: false }

let fixture: Fixture
let vibe: TestUpload
beforeAll(async () => {
  fixture = await startFixture()
  vibe = await makeUpload(fixture, demo('vibe-ace.ogg'))
  await fixture.processor().run(vibe.jobId, calm)
})
afterAll(() => fixture?.stop())

async function trackOf({ trackId }: TestUpload) {
  const { db } = fixture
  const [track] = await db.select().from(schema.tracks).where(eq(schema.tracks.id, trackId))
  const [version] = await db
    .select()
    .from(schema.trackVersions)
    .where(eq(schema.trackVersions.trackId, trackId))
  return { track: track!, version: version! }
}

async function ingest(file: string | Uint8Array, options: Parameters<typeof makeUpload>[2] = {}) {
  const upload = await makeUpload(fixture, file, options)
  const outcome = await fixture.processor().run(upload.jobId, calm)
  return { ...upload, outcome }
}

test('a real recording becomes a published track with its tags, cover, loudness and features', async () => {
  const { track, version } = await trackOf(vibe)
  expect(track).toMatchObject({ title: 'Vibe Ace', year: 2011, genres: ['Jazz'], version: 1 })
  expect(track.durationS).toBeCloseTo(61.458866, 5)
  expect(track.loudnessLufs).toBeCloseTo(-17.2, 1)
  expect(track.publishedAt).not.toBeNull()
  expect(track.waveform).toHaveLength(1000)
  expect(track.previewStartS! % 4).toBe(0)
  expect(track.previewStartS! + 28).toBeLessThanOrEqual(64)
  expect(track.coverColours).toHaveLength(3)
  expect(track.features).toMatchObject({ tempoBpm: expect.any(Number) })
  expect(version).toMatchObject({ status: 'published', sampleRate: 44_100, primingSamples: 1024 })
  const [credit] = await fixture.db
    .select({ name: schema.artists.name })
    .from(schema.trackArtists)
    .innerJoin(schema.artists, eq(schema.artists.id, schema.trackArtists.artistId))
    .where(eq(schema.trackArtists.trackId, vibe.trackId))
  expect(credit?.name).toBe('Kevin MacLeod')
  const cover = await getMedia(fixture.s3, `tracks/${vibe.trackId}/1/cover-320.webp`)
  expect(cover.toString('latin1', 8, 12)).toBe('WEBP')
})

test('ffmpeg and mpv decode every sample of the source, the first one first, in all renditions', async () => {
  const { version } = await trackOf(vibe)
  const source = await decodeFile(demo('vibe-ace.ogg'))
  expect(version.sampleCount).toBe(source.length / 2)
  for (const rendition of ['64k', '128k', '192k']) {
    const folder = join(fixture.files, `vibe-${rendition}`)
    const playlist = await exportHls(fixture, vibe.trackId, rendition, folder)
    const decoded = await decode(playlist)
    // Neither gap nor overlap, and no priming; the last frame's padding is all that is more.
    expect(decoded.length / 2).toBe(version.sampleCount! + version.paddingSamples!)
    const [at, late] = [correlation(source, decoded, 0), correlation(source, decoded, 1)]
    expect(at).toBeGreaterThan(0.98)
    expect(at).toBeGreaterThan(late)
    const raw = join(folder, 'mpv.raw')
    await run('mpv', [
      '--no-config',
      '--vo=null',
      '--ao=pcm',
      '--ao-pcm-waveheader=no',
      '--demuxer-lavf-o=allowed_extensions=ALL',
      '--audio-format=s16',
      '--audio-channels=stereo',
      `--ao-pcm-file=${raw}`,
      playlist,
    ])
    expect((await stat(raw)).size / 4).toBe(version.sampleCount! + version.paddingSamples!)
  }
})

test('the segments are those of the contract, and all renditions are cut at the same instants', async () => {
  const { version } = await trackOf(vibe)
  const timing = {
    sampleRate: version.sampleRate!,
    sampleCount: version.sampleCount!,
    primingSamples: version.primingSamples!,
  }
  expect(frameCount(timing) * 1024).toBe(
    timing.sampleCount + timing.primingSamples + version.paddingSamples!,
  )
  for (const rendition of ['64k', '128k', '192k']) {
    const prefix = `tracks/${vibe.trackId}/1/${rendition}/`
    const keys = await listKeys(fixture.s3, 'media', prefix)
    expect(keys.filter((key) => key.endsWith('.m4s'))).toHaveLength(segmentCount(timing))
    const { stdout } = await run('ffprobe', [
      '-v',
      'error',
      '-allowed_extensions',
      'ALL',
      '-show_entries',
      'packet=pts,pos',
      '-of',
      'csv=p=0',
      join(fixture.files, `vibe-${rendition}`, 'playlist.m3u8'),
    ])
    const packets = stdout
      .trim()
      .split(/\s+/)
      .map((line) => Number.parseInt(line, 10))
    expect(packets).toHaveLength(frameCount(timing))
    // The HLS reader counts in 1/90000 s: a sample more or less is its rounding.
    const drift = packets.map((pts, frame) => Math.abs(pts + 1024 - frame * 1024))
    expect(Math.max(...drift)).toBeLessThanOrEqual(1)
    expect(segmentStartFrame(44_100, 1)).toBe(173)
  }
})

/** The segments of an exported rendition, in the clear. */
async function clearSegments(folder: string): Promise<Buffer[]> {
  const playlist = await readFile(join(folder, 'playlist.m3u8'), 'utf8')
  const entries = playlist.matchAll(/URI="(\d+\.key)",IV=0x(\w+)\n#EXTINF.*\n(.*)/g)
  return Promise.all(
    [...entries].map(async ([, keyFile, iv, segmentFile]) => {
      const key = await readFile(join(folder, keyFile!))
      const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(iv!, 'hex'))
      return Buffer.concat([
        decipher.update(await readFile(join(folder, segmentFile!))),
        decipher.final(),
      ])
    }),
  )
}

test('the stored sizes lay a file out to the byte: every frame, as ffprobe sees them, and every header', async () => {
  const { version } = await trackOf(vibe)
  const { db, files } = fixture
  const rows = await db
    .select()
    .from(schema.renditionLayouts)
    .where(eq(schema.renditionLayouts.trackId, vibe.trackId))
  expect(rows.map(({ name }) => name).sort()).toEqual(['128k', '192k', '64k'])
  for (const { name, ...row } of rows) {
    const layout = {
      frameSizes: unpackSizes(row.frameSizes),
      headerSizes: unpackSizes(row.headerSizes),
    }
    const folder = join(files, `vibe-${name}`)
    const { stdout } = await run(
      'ffprobe',
      ['-v', 'error', '-allowed_extensions', 'ALL', '-show_packets', '-of', 'json'].concat(
        join(folder, 'playlist.m3u8'),
      ),
      { maxBuffer: 2 ** 26 },
    )
    const { packets } = JSON.parse(stdout) as { packets: { size: string }[] }
    expect(layout.frameSizes).toEqual(packets.map(({ size }) => Number(size)))
    const timing = {
      sampleRate: version.sampleRate!,
      sampleCount: version.sampleCount!,
      primingSamples: version.primingSamples!,
    }
    const sizes = segmentSizes(layout, timing)
    const segments = await clearSegments(folder)
    expect(sizes.map(({ headerBytes, payloadBytes }) => headerBytes + payloadBytes)).toEqual(
      segments.map(({ length }) => length),
    )
    for (const [index, { headerBytes, payloadBytes }] of sizes.entries()) {
      const header = segments[index]!.subarray(0, headerBytes)
      expect(header.toString('latin1', headerBytes - 4)).toBe('mdat')
      expect(header.readUInt32BE(headerBytes - 8)).toBe(payloadBytes + 8)
    }
  }
})

test('the sizes take less than a hundredth of what they describe', async () => {
  const { db, s3 } = fixture
  const rows = await db
    .select()
    .from(schema.renditionLayouts)
    .where(eq(schema.renditionLayouts.trackId, vibe.trackId))
  const kept = rows.reduce((sum, row) => sum + row.frameSizes.length + row.headerSizes.length, 0)
  const objects = await s3.send(
    new ListObjectsV2Command({ Bucket: 'media', Prefix: `tracks/${vibe.trackId}/1/` }),
  )
  const stored = objects.Contents!.reduce((sum, { Size }) => sum + Size!, 0)
  expect(kept / stored).toBeLessThan(0.008)
})

test('what is stored is ciphertext: no segment decodes without its key', async () => {
  for (const rendition of ['64k', '192k']) {
    const folder = join(fixture.files, `sealed-${rendition}`)
    const playlist = await exportHls(fixture, vibe.trackId, rendition, folder, { withKeys: false })
    const decoded = await decode(playlist).catch(() => new Int16Array())
    expect(decoded).toHaveLength(0)
    const bytes = await getMedia(fixture.s3, `tracks/${vibe.trackId}/1/${rendition}/0.m4s`)
    expect(bytes.length % 16).toBe(0)
    expect(bytes.includes('moof')).toBe(false)
  }
})

test('the bandwidth of a rendition is what its segments really take', async () => {
  const rows = await fixture.db
    .select()
    .from(schema.renditions)
    .where(eq(schema.renditions.trackId, vibe.trackId))
  expect(rows.map(({ name }) => name).sort()).toEqual(['128k', '192k', '64k'])
  const { track } = await trackOf(vibe)
  for (const row of rows) {
    const keys = await listKeys(fixture.s3, 'media', `tracks/${vibe.trackId}/1/${row.name}/`)
    const segments = keys.filter((key) => key.endsWith('.m4s'))
    const sizes = await Promise.all(
      segments.map(async (key) => (await getMedia(fixture.s3, key)).length),
    )
    const average =
      (sizes.reduce((sum, size) => sum + size, 0) * 8) / (track.durationS! + 1024 / 44_100)
    expect(Math.abs(row.averageBandwidth - average)).toBeLessThan(2)
    const first = (sizes[0]! * 8) / ((173 * 1024) / 44_100)
    expect(row.peakBandwidth).toBeGreaterThanOrEqual(Math.floor(first))
    expect(row.peakBandwidth).toBeLessThan(row.bitrate * 1.35)
  }
})

test('the encoded track plays at -14 LUFS with its peaks below the ceiling', async () => {
  const { stderr } = await run('ffmpeg', [
    '-hide_banner',
    '-nostats',
    '-allowed_extensions',
    'ALL',
    '-i',
    join(fixture.files, 'vibe-192k', 'playlist.m3u8'),
    '-af',
    'ebur128=peak=true:framelog=verbose',
    '-f',
    'null',
    '-',
  ])
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'))
  expect(Math.abs(Number(/I:\s+(-[\d.]+)/.exec(summary)?.[1]) + 14)).toBeLessThanOrEqual(0.5)
  expect(Number(/Peak:\s+(-?[\d.]+)/.exec(summary)?.[1])).toBeLessThanOrEqual(-0.9)
})

test('a recording split in two at any sample decodes to one continuous signal', async () => {
  const whole = await synthesise(join(fixture.files, 'whole.wav'), [
    '-i',
    demo('hungarian-dance-no-5.ogg'),
    '-map',
    '0:a:0',
    '-t',
    '20',
    '-c:a',
    'pcm_s16le',
  ])
  const at = 7 * 44_100 + 12_345
  const parts = [
    { name: 'a', filter: `atrim=end_sample=${at}` },
    { name: 'b', filter: `atrim=start_sample=${at},asetpts=N/SR/TB` },
  ]
  const decoded: Int16Array[] = []
  for (const { name, filter } of parts) {
    const file = await synthesise(join(fixture.files, `${name}.wav`), [
      '-i',
      whole,
      '-af',
      filter,
      '-c:a',
      'pcm_s16le',
    ])
    const upload = await ingest(file)
    const { version } = await trackOf(upload)
    const playlist = await exportHls(fixture, upload.trackId, '192k', join(fixture.files, name))
    const samples = await decode(playlist)
    const gain = 10 ** (-version.gainDb! / 20)
    // As a gapless player does: what is stored as padding is cut off.
    decoded.push(samples.subarray(0, version.sampleCount! * 2).map((x) => x * gain))
  }
  const joined = new Int16Array(decoded.flatMap((part) => Array.from(part)))
  const original = await decodeFile(whole)
  expect(joined).toHaveLength(original.length)
  const around = (signal: Int16Array) => signal.subarray((at - 2205) * 2, (at + 2205) * 2)
  expect(correlation(around(original), around(joined), 0)).toBeGreaterThan(0.97)
})

test.each([
  { name: '48 kHz stays', rate: 48_000, channels: 2, out: 48_000 },
  { name: '96 kHz in six channels', rate: 96_000, channels: 6, out: 44_100 },
  { name: '8 kHz mono', rate: 8000, channels: 1, out: 44_100 },
  { name: '192 kHz in eight channels', rate: 192_000, channels: 8, out: 44_100 },
])('$name is encoded whole at $out Hz in stereo', async ({ rate, channels, out }) => {
  const file = await synthesise(join(fixture.files, `${rate}-${channels}.wav`), [
    '-f',
    'lavfi',
    '-i',
    `sine=440:d=5.01:r=${rate}`,
    '-ac',
    String(channels),
    '-c:a',
    'pcm_s24le',
  ])
  const upload = await ingest(file)
  const { track, version } = await trackOf(upload)
  expect(version.sampleRate).toBe(out)
  expect(track.durationS).toBeCloseTo(5.01, 2)
  const playlist = await exportHls(
    fixture,
    upload.trackId,
    '64k',
    join(fixture.files, upload.trackId),
  )
  const decoded = await decode(playlist)
  expect(decoded.length / 2).toBe(version.sampleCount! + version.paddingSamples!)
})

test('what the admin typed wins over the tags, and text from a file is made fit to show', async () => {
  const file = await synthesise(join(fixture.files, 'odd "name"\n\u202e.mp3'), [
    '-f',
    'lavfi',
    '-i',
    'sine=440:d=3',
    '-c:a',
    'libmp3lame',
    '-b:a',
    '64k',
    '-metadata',
    'title=from\nthe ‮file',
    '-metadata',
    'artist=AC/DC; Guest',
  ])
  const upload = await ingest(file, { metadata: { album: ' An album ', year: 1999 } })
  const { track } = await trackOf(upload)
  expect(track).toMatchObject({ title: 'from the file', year: 1999 })
  const credits = await fixture.db
    .select({ name: schema.artists.name })
    .from(schema.trackArtists)
    .innerJoin(schema.artists, eq(schema.artists.id, schema.trackArtists.artistId))
    .where(eq(schema.trackArtists.trackId, upload.trackId))
    .orderBy(schema.trackArtists.position)
  expect(credits.map(({ name }) => name)).toEqual(['AC/DC', 'Guest'])
  const [album] = await fixture.db
    .select()
    .from(schema.albums)
    .where(eq(schema.albums.id, track.albumId!))
  expect(album?.title).toBe('An album')
  const rows = await fixture.db
    .select({ name: schema.renditions.name })
    .from(schema.renditions)
    .where(eq(schema.renditions.trackId, upload.trackId))
  // 64 kbit/s can feed up to 192.
  expect(rows).toHaveLength(3)
})

test('a job that is completed is never run again', async () => {
  const before = await trackOf(vibe)
  expect(await fixture.processor().run(vibe.jobId, calm)).toEqual({ kind: 'skipped' })
  expect(await trackOf(vibe)).toEqual(before)
})
