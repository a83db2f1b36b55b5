import { createServer } from 'node:http'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import * as schema from '@mist/db/schema'
import { eq } from 'drizzle-orm'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demo, startFixture, type Fixture } from '../../testing/fixture.ts'
import { listKeys, synthesise } from '../../testing/hls.ts'
import { makeUpload } from '../../testing/uploads.ts'

const calm = { signal: new AbortController().signal, isLastAttempt: false }

let fixture: Fixture
beforeAll(async () => {
  fixture = await startFixture()
})
afterAll(() => fixture?.stop())

const path = (name: string) => join(fixture.files, name)

async function ingest(
  original: string | Uint8Array,
  changes: Record<string, string> = {},
  options: Parameters<typeof makeUpload>[2] = {},
) {
  const upload = await makeUpload(fixture, original, options)
  const outcome = await fixture.processor(changes).run(upload.jobId, calm)
  const { db, s3 } = fixture
  const [job] = await db.select().from(schema.jobs).where(eq(schema.jobs.id, upload.jobId))
  const [track] = await db.select().from(schema.tracks).where(eq(schema.tracks.id, upload.trackId))
  return {
    ...upload,
    outcome,
    job: job!,
    track: track!,
    stored: await listKeys(s3, 'media', `tracks/${upload.trackId}/`),
  }
}

type Ingested = Awaited<ReturnType<typeof ingest>>

/** What a refusal shows: one attempt, a code, a sentence, and nothing half-made to be seen. */
function refusal({ outcome, job, track, stored }: Ingested) {
  return {
    kind: outcome.kind,
    code: job.errorCode,
    status: job.status,
    attempts: job.attempts,
    hasSentence: /^[A-Z].*\.$/.test(job.errorDetail ?? ''),
    isPublished: track.publishedAt !== null || track.version !== null,
    stored,
  }
}

const refusedAs = (code: string) => ({
  kind: 'failed',
  code,
  status: 'failed',
  attempts: 1,
  hasSentence: true,
  isPublished: false,
  stored: [],
})

test.each([
  [
    'an HLS playlist',
    (target: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${target}\n#EXT-X-ENDLIST\n`,
  ],
  ['an ffconcat script', (target: string) => `ffconcat version 1.0\nfile '${target}'\n`],
  [
    'an SDP description',
    (target: string) =>
      `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\na=x:${target}\n`,
  ],
  ['a text', (target: string) => `Dear Sir or Madam,\n\nmy song is at ${target}.\n`],
])('%s that points to another local file or to the network is not audio', async (_, script) => {
  let asked = 0
  const server = createServer((_request, response) => {
    asked++
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const secret = await synthesise(path('secret.wav'), ['-f', 'lavfi', '-i', 'sine=440:d=9'])
  for (const target of [secret, `file:${secret}`, `http://127.0.0.1:${port}/secret.wav`]) {
    expect(refusal(await ingest(Buffer.from(script(target))))).toEqual(refusedAs('not-audio'))
  }
  server.close()
  expect(asked).toBe(0)
})

test('a playlist behind an ID3 tag is not audio either', async () => {
  const tag = Buffer.from('ID3\x04\0\0\0\0\0\x0aTIT2\0\0\0\0\0\0', 'latin1')
  const script = Buffer.from(`#EXTM3U\n#EXTINF:9,\n${path('secret.wav')}\n#EXT-X-ENDLIST\n`)
  expect(refusal(await ingest(Buffer.concat([tag, script])))).toEqual(refusedAs('not-audio'))
})

test('a playlist that pretends to be each format in turn is never followed', async () => {
  await synthesise(path('secret.wav'), ['-f', 'lavfi', '-i', 'sine=440:d=9'])
  const script = `\n#EXTM3U\n#EXTINF:9,\n${path('secret.wav')}\n#EXT-X-ENDLIST\n`
  for (const magic of ['fLaC', 'OggS', 'RIFF\0\0\0\0WAVE', 'FORM\0\0\0\0AIFF', '\0\0\0\x20ftyp']) {
    const { outcome, track } = await ingest(Buffer.from(magic + script, 'latin1'))
    expect(outcome).toMatchObject({ kind: 'failed' })
    expect(track.publishedAt).toBeNull()
  }
})

test('an empty file is refused as empty', async () => {
  const refused = await ingest(new Uint8Array(), {}, { sizeBytes: 1 })
  expect(refusal(refused)).toEqual(refusedAs('empty-file'))
})

test('a file of another size than announced is refused', async () => {
  expect(refusal(await ingest(demo('vibe-ace.ogg'), {}, { sizeBytes: 17 }))).toEqual(
    refusedAs('truncated'),
  )
  expect(refusal(await ingest(demo('vibe-ace.ogg'), { MAX_UPLOAD_BYTES: '1000' }))).toEqual(
    refusedAs('too-large'),
  )
})

test('an original that was overwritten after it was checked is not taken for the one that was', async () => {
  const checked = await fixture.s3.send(
    new PutObjectCommand({ Bucket: 'originals', Key: 'checked', Body: 'x' }),
  )
  const upload = await makeUpload(fixture, demo('vibe-ace.ogg'))
  await fixture.db
    .update(schema.uploads)
    .set({ etag: checked.ETag! })
    .where(eq(schema.uploads.id, upload.uploadId))
  expect(await fixture.processor().run(upload.jobId, calm)).toMatchObject({
    kind: 'failed',
    code: 'original-changed',
    detail: expect.stringContaining('Upload it again'),
  })
})

test('an original that is gone is named as such', async () => {
  const upload = await makeUpload(fixture, Buffer.from('x'))
  await fixture.s3.send(
    new DeleteObjectCommand({ Bucket: 'originals', Key: `originals/${upload.uploadId}` }),
  )
  expect(await fixture.processor().run(upload.jobId, calm)).toMatchObject({
    kind: 'failed',
    code: 'original-missing',
  })
})

test.each([
  ['mp3', ['-c:a', 'libmp3lame', '-b:a', '128k']],
  ['flac', ['-c:a', 'flac']],
  ['wav', ['-c:a', 'pcm_s16le']],
  ['m4a', ['-c:a', 'aac', '-movflags', '+faststart']],
  ['mp4', ['-c:a', 'aac']],
  ['ogg', ['-c:a', 'libvorbis']],
  ['aiff', ['-c:a', 'pcm_s16be']],
  ['aac', ['-c:a', 'aac', '-f', 'adts']],
])('a %s file that was cut off in the middle is truncated', async (extension, codec) => {
  const file = await synthesise(path(`whole.${extension}`), [
    '-i',
    demo('hungarian-dance-no-5.ogg'),
    '-map',
    '0:a:0',
    '-t',
    '12',
    ...codec,
  ])
  const bytes = await readFile(file)
  expect(refusal(await ingest(bytes.subarray(0, Math.floor(bytes.length * 0.6) + 1)))).toEqual(
    refusedAs('truncated'),
  )
})

test('a video without sound has no sound, one with sound becomes a track', async () => {
  const silent = await synthesise(path('silent.mp4'), [
    '-f',
    'lavfi',
    '-i',
    'testsrc=d=3:s=64x64',
    '-c:v',
    'libx264',
    '-an',
  ])
  expect(refusal(await ingest(silent))).toEqual(refusedAs('no-audio-stream'))
  const clip = await synthesise(path('clip.mp4'), [
    '-f',
    'lavfi',
    '-i',
    'testsrc=d=3:s=64x64',
    '-f',
    'lavfi',
    '-i',
    'sine=440:d=3',
    '-c:v',
    'libx264',
    '-c:a',
    'aac',
  ])
  const { outcome, stored } = await ingest(clip)
  expect(outcome).toMatchObject({ kind: 'completed' })
  expect(stored.some((key) => key.includes('cover'))).toBe(false)
})

test('a file in a format that we do not read says which', async () => {
  const file = await synthesise(path('a.mkv'), ['-f', 'lavfi', '-i', 'sine=440:d=3'])
  const refused = await ingest(file)
  expect(refusal(refused)).toEqual(refusedAs('unsupported-format'))
  expect(refused.job.errorDetail).toContain('Matroska')
})

test('ten hours of silence in a few megabytes are too long', async () => {
  const file = await synthesise(path('ten-hours.flac'), [
    '-f',
    'lavfi',
    '-i',
    'anullsrc=r=8000:cl=mono',
    '-t',
    '36000',
    '-c:a',
    'flac',
    '-compression_level',
    '0',
    '-frame_size',
    '32768',
  ])
  expect((await stat(file)).size).toBeLessThan(6_000_000)
  const refused = await ingest(file)
  expect(refusal(refused)).toEqual(refusedAs('too-long'))
  expect(refused.job.errorDetail).toContain('6 h')
})

test('a header that hides the length does not get a long file through', async () => {
  const file = await synthesise(path('liar.aac'), [
    '-f',
    'lavfi',
    '-i',
    'anullsrc=r=8000:cl=mono',
    '-t',
    '120',
    '-c:a',
    'aac',
    '-f',
    'adts',
  ])
  expect(refusal(await ingest(file, { MAX_DURATION_S: '60' }))).toEqual(refusedAs('too-long'))
})

test('a small FLAC that unpacks to 300 MB goes through within the limits of a process', async () => {
  const file = await synthesise(path('bomb.flac'), [
    '-f',
    'lavfi',
    '-i',
    'anullsrc=r=44100:cl=stereo',
    '-t',
    '1700',
    '-c:a',
    'flac',
    '-frame_size',
    '16384',
  ])
  expect((await readFile(file)).length).toBeLessThan(1_000_000)
  const { outcome } = await ingest(file, { FFMPEG_MEMORY_MB: '400', LADDER: '64' })
  expect(outcome).toMatchObject({ kind: 'completed' })
}, 180_000)

test('more channels or a higher rate than allowed are refused by name', async () => {
  const file = await synthesise(path('many.wav'), [
    '-f',
    'lavfi',
    '-i',
    'sine=440:d=2:r=96000',
    '-ac',
    '8',
    '-c:a',
    'pcm_s16le',
  ])
  expect(refusal(await ingest(file, { MAX_CHANNELS: '6' }))).toEqual(refusedAs('too-many-channels'))
  expect(refusal(await ingest(file, { MAX_SAMPLE_RATE: '48000' }))).toEqual(
    refusedAs('unsupported-format'),
  )
})

test('a file that is too short is refused', async () => {
  const file = await synthesise(path('short.wav'), ['-f', 'lavfi', '-i', 'sine=440:d=0.2'])
  expect(refusal(await ingest(file))).toEqual(refusedAs('too-short'))
})

test('a process that takes more than its CPU time is stopped', async () => {
  const file = await synthesise(path('hour.wav'), [
    '-f',
    'lavfi',
    '-i',
    'anoisesrc=r=44100:d=240',
    '-ac',
    '1',
    '-c:a',
    'pcm_u8',
  ])
  const { outcome, jobId } = await ingest(file, { FFMPEG_CPU_S: '1' })
  expect(outcome).toMatchObject({ kind: 'broken' })
  const again = await fixture.processor({ FFMPEG_CPU_S: '1' }).run(jobId, calm)
  expect(again).toMatchObject({ kind: 'failed', code: 'timed-out' })
})

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A FLAC with any bytes as its front cover (METADATA_BLOCK_PICTURE, RFC 9639 §8.8). */
async function withCover(name: string, picture: Uint8Array): Promise<string> {
  const file = await synthesise(path(name), ['-f', 'lavfi', '-i', 'sine=440:d=3', '-c:a', 'flac'])
  const mime = Buffer.from('image/jpeg')
  const block = Buffer.concat([
    number(3),
    number(mime.length),
    mime,
    number(0),
    number(8),
    number(8),
    number(24),
    number(0),
    number(picture.length),
    picture,
  ])
  const header = number(block.length)
  header[0] = 6
  const flac = await readFile(file)
  // After the mark and STREAMINFO, which has 34 bytes.
  await writeFile(file, Buffer.concat([flac.subarray(0, 42), header, block, flac.subarray(42)]))
  return file
}

test('a 50-megapixel cover is scaled, within the memory of a job', async () => {
  const picture = await sharp({
    create: { width: 8000, height: 6250, channels: 3, background: '#246' },
  })
    .jpeg()
    .toBuffer()
  const before = process.memoryUsage.rss()
  const { outcome, stored, track } = await ingest(await withCover('big-cover.flac', picture))
  expect(outcome).toMatchObject({ kind: 'completed' })
  expect(stored.filter((key) => key.endsWith('.webp'))).toHaveLength(3)
  expect(track.coverVersion).toBe(1)
  expect(process.memoryUsage.rss() - before).toBeLessThan(250 * 1024 ** 2)
})

test.each([
  ['is not an image', Buffer.from('GIF87a but really a poem')],
  ['is a script in a vector image', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['is empty rubbish', Buffer.alloc(3)],
])('a cover that %s is skipped and the music published', async (_, picture) => {
  const { outcome, stored, track } = await ingest(await withCover('bad-cover.flac', picture))
  expect(outcome).toMatchObject({ kind: 'completed' })
  expect(stored.some((key) => key.endsWith('.webp'))).toBe(false)
  expect(track).toMatchObject({ coverVersion: null, version: 1 })
})

/** An ID3v2.3 tag with one text frame in any encoding, before a real MP3. */
async function withId3(frames: Record<string, Buffer>): Promise<Buffer> {
  const file = await synthesise(path('plain.mp3'), [
    '-f',
    'lavfi',
    '-i',
    'sine=440:d=2',
    '-c:a',
    'libmp3lame',
    '-id3v2_version',
    '0',
    '-write_id3v1',
    '0',
  ])
  const body = Buffer.concat(
    Object.entries(frames).map(([name, content]) => {
      const size = Buffer.alloc(4)
      size.writeUInt32BE(content.length)
      return Buffer.concat([Buffer.from(name), size, Buffer.alloc(2), content])
    }),
  )
  const size = Buffer.from([21, 14, 7, 0].map((shift) => (body.length >> shift) & 0x7f))
  return Buffer.concat([Buffer.from('ID3\x03\0\0', 'latin1'), size, body, await readFile(file)])
}

test.each([
  [
    'UTF-16',
    Buffer.concat([Buffer.from([1, 0xff, 0xfe]), Buffer.from('Земля', 'utf16le')]),
    'Земля',
  ],
  [
    'Latin-1',
    Buffer.concat([Buffer.from([0]), Buffer.from('Motörhead é', 'latin1')]),
    'Motörhead é',
  ],
  ['cp1251 in the clothes of Latin-1', Buffer.from([0, 0xc7, 0xe5, 0xec, 0xeb, 0xff]), 'Земля'],
  [
    'UTF-8 in the clothes of Latin-1',
    Buffer.concat([Buffer.from([0]), Buffer.from('Beyoncé')]),
    'Beyoncé',
  ],
])('a title in %s is read right', async (_, text, title) => {
  const { track } = await ingest(await withId3({ TIT2: text }))
  expect(track.title).toBe(title)
})

test('no file is left in the work folder, whatever happened', async () => {
  expect(await readdir(fixture.env.WORK_DIR)).toEqual([])
})
