import * as schema from '@mist/db/schema'
import { eq, sql } from 'drizzle-orm'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFixture, type Fixture } from '../../testing/fixture.ts'
import { id3v2, picture, utf8Text } from '../../testing/id3v2.ts'
import { listKeys, synthesise } from '../../testing/hls.ts'
import { makeUpload, type TestUpload } from '../../testing/uploads.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { originalKey } from '@mist/db/contract'
import { PutObjectCommand } from '@aws-sdk/client-s3'

const calm = { signal: new AbortController().signal, isLastAttempt: true }

let fixture: Fixture
let sound: Buffer
beforeAll(async () => {
  fixture = await startFixture()
  const file = join(fixture.files, 'tone.mp3')
  await synthesise(file, [
    '-f',
    'lavfi',
    '-i',
    'sine=d=5',
    '-id3v2_version',
    '0',
    '-write_xing',
    '0',
  ])
  sound = await readFile(file)
})
afterAll(() => fixture?.stop())

type Frames = Parameters<typeof id3v2>[0]
const tagged = (frames: Frames) => Buffer.concat([id3v2(frames), sound])

const frames: Frames = [
  ['TIT2', utf8Text('Title')],
  ['TPE1', utf8Text('Artist')],
  ['TALB', utf8Text('Album')],
  ['TCON', utf8Text('Jazz')],
  ['TDRC', utf8Text('1999')],
  ['TRCK', utf8Text('3')],
  ['TXXX', utf8Text('Mood\0 Calm ')],
]

async function ingest(options: Parameters<typeof makeUpload>[2] = {}): Promise<TestUpload> {
  const upload = await makeUpload(fixture, tagged(frames), options)
  expect(await fixture.processor().run(upload.jobId, calm)).toMatchObject({ kind: 'completed' })
  return upload
}

/** Puts another file in the original's place, as a better reader would see it, and reads its tags. */
async function retag(upload: TestUpload, changed: Frames) {
  const body = tagged(changed)
  await fixture.s3.send(
    new PutObjectCommand({ Bucket: 'originals', Key: originalKey(upload.uploadId), Body: body }),
  )
  await fixture.db
    .update(schema.uploads)
    .set({ sizeBytes: body.length })
    .where(eq(schema.uploads.id, upload.uploadId))
  const [job] = await fixture.db
    .insert(schema.jobs)
    .values({
      id: sql`gen_random_uuid()` as never,
      kind: 'retag',
      uploadId: upload.uploadId,
      trackId: upload.trackId,
      status: 'queued',
    })
    .returning({ id: schema.jobs.id })
  return fixture.processor().run(job!.id, calm)
}

async function trackOf({ trackId }: TestUpload) {
  const { rows } = await fixture.db.execute(sql`
    select t.title, t.genres, t.year, t.track_number, t.version, t.edited_fields, al.title as album,
      t.tags, f.fields, f.cut, f.reader,
      array(select a.name from track_artists ta join artists a on a.id = ta.artist_id
            where ta.track_id = t.id order by ta.position) as artists
    from tracks t left join albums al on al.id = t.album_id
    left join track_file_tags f on f.track_id = t.id
    where t.id = ${trackId}`)
  return rows[0]!
}

const renamed: Frames = [
  ['TIT2', utf8Text('Better title')],
  ['TPE1', utf8Text('Better artist')],
  ['TALB', utf8Text('Better album')],
  ['TDRC', utf8Text('2001')],
]

test('a published track has its tags raw and cleaned, with the version of their reader', async () => {
  const track = await trackOf(await ingest())
  expect(track).toMatchObject({ title: 'Title', edited_fields: [], cut: [] })
  expect(track['tags']).toMatchObject({ reader: track['reader'], title: 'Title' })
  expect(track['fields']).toContainEqual({ tag: 'id3v2', name: 'TXXX:Mood', values: [' Calm '] })
})

test('tags read anew change what the old ones said, and no media', async () => {
  const upload = await ingest()
  const before = await listKeys(fixture.s3, 'media', `tracks/${upload.trackId}/`)
  expect(await retag(upload, renamed)).toMatchObject({ kind: 'completed' })
  expect(await trackOf(upload)).toMatchObject({
    title: 'Better title',
    artists: ['Better artist'],
    album: 'Better album',
    genres: [],
    year: 2001,
    track_number: null,
    version: 1,
    edited_fields: [],
  })
  expect(await listKeys(fixture.s3, 'media', `tracks/${upload.trackId}/`)).toEqual(before)
  const versions = await fixture.db
    .select({ version: schema.trackVersions.version, status: schema.trackVersions.status })
    .from(schema.trackVersions)
    .where(eq(schema.trackVersions.trackId, upload.trackId))
  expect(versions).toEqual([{ version: 1, status: 'published' }])
})

test('a cover whose colours are not known is given them, the original has it or not', async () => {
  const red = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const upload = await makeUpload(
    fixture,
    Buffer.concat([id3v2([...frames, ['APIC', picture(3, red)]]), sound]),
  )
  await fixture.processor().run(upload.jobId, calm)
  const coloursOf = async () => {
    const [row] = await fixture.db
      .select({ colours: schema.tracks.coverColours })
      .from(schema.tracks)
      .where(eq(schema.tracks.id, upload.trackId))
    return row!.colours
  }
  expect((await coloursOf())?.[0]).toMatch(/^#f.0.0.$/)
  await fixture.db
    .update(schema.tracks)
    .set({ coverColours: null })
    .where(eq(schema.tracks.id, upload.trackId))
  await retag(upload, renamed)
  expect(await coloursOf()).toEqual([
    expect.stringMatching(/^#f.0.0.$/),
    expect.any(String),
    expect.any(String),
  ])
})

test('what an admin wrote, at the upload or later, stays when tags are read anew', async () => {
  const upload = await ingest({ metadata: { title: 'Typed', year: 1950 } })
  await fixture.db
    .update(schema.tracks)
    .set({ genres: ['Edited'], editedFields: sql`edited_fields || '{genres,artists}'::text[]` })
    .where(eq(schema.tracks.id, upload.trackId))
  await retag(upload, renamed)
  expect(await trackOf(upload)).toMatchObject({
    title: 'Typed',
    year: 1950,
    genres: ['Edited'],
    artists: ['Artist'],
    album: 'Better album',
    edited_fields: ['artists', 'genres', 'title', 'year'],
  })
  // The album is the admin's artist's, not the file's.
  const { rows } = await fixture.db.execute(sql`
    select a.name from tracks t join albums al on al.id = t.album_id
    join artists a on a.id = al.artist_id where t.id = ${upload.trackId}`)
  expect(rows).toEqual([{ name: 'Artist' }])
})
