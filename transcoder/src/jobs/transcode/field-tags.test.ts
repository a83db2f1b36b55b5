import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TrackText, type TrackId } from '@mist/db/contract'
import * as schema from '@mist/db/schema'
import { asc, eq } from 'drizzle-orm'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFixture, type Fixture } from '../../testing/fixture.ts'
import { getMedia } from '../../testing/hls.ts'
import { id3v2, picture, utf8Text } from '../../testing/id3v2.ts'
import { makeUpload } from '../../testing/uploads.ts'

const FIELD = fileURLToPath(new URL('../../../fixtures/field/', import.meta.url))
const calm = { signal: new AbortController().signal, isLastAttempt: false }

let fixture: Fixture
beforeAll(async () => {
  fixture = await startFixture({ env: { LADDER: '64' } })
})
afterAll(() => fixture?.stop())

/** What became of a file: its published track, and the names beside it. */
async function ingest(original: string | Uint8Array) {
  const { jobId, trackId } = await makeUpload(fixture, original)
  const outcome = await fixture.processor().run(jobId, calm)
  expect(outcome).toMatchObject({ kind: 'completed' })
  const { db } = fixture
  const [row] = await db
    .select({ track: schema.tracks, album: schema.albums.title })
    .from(schema.tracks)
    .leftJoin(schema.albums, eq(schema.albums.id, schema.tracks.albumId))
    .where(eq(schema.tracks.id, trackId))
  const credits = await db
    .select({ name: schema.artists.name })
    .from(schema.trackArtists)
    .innerJoin(schema.artists, eq(schema.artists.id, schema.trackArtists.artistId))
    .where(eq(schema.trackArtists.trackId, trackId))
    .orderBy(asc(schema.trackArtists.position))
  return { ...row!.track, album: row!.album, artists: credits.map(({ name }) => name) }
}

const ingestField = (name: string) => ingest(join(FIELD, name))

/** Mean red, green and blue of a track's cover, 0…255. */
async function coverColour({ id, coverVersion }: { id: string; coverVersion: number | null }) {
  expect(coverVersion).not.toBeNull()
  const cover = await getMedia(fixture.s3, `tracks/${id}/${coverVersion}/cover-96.webp`)
  const { channels } = await sharp(cover).stats()
  return channels.map(({ mean }) => Math.round(mean))
}

test('two tracks of a compilation that names no album artist share one album', async () => {
  const [first, second] = [
    await ingestField('flac-compilation-1.flac'),
    await ingestField('flac-compilation-2.flac'),
  ]
  expect(first.albumId).not.toBeNull()
  expect(second.albumId).toBe(first.albumId)
  expect([first.artists, second.artists]).toEqual([['Comp A'], ['Comp B']])
  expect(first.tags).toMatchObject({ reader: 2, isCompilation: true, artists: ['Comp A'] })
})

test.each(['cover-back-first.flac', 'cover-bad-then-good.mp3'])(
  'the cover of %s is the red picture',
  async (name) => {
    const [red = 0, green = 255, blue = 255] = await coverColour(await ingestField(name))
    expect(red).toBeGreaterThan(150)
    expect(Math.max(green, blue)).toBeLessThan(100)
  },
)

test('names as long as files have them are published so that the API accepts them', async () => {
  const track = await ingestField('flac-long-names.flac')
  for (const name of ['title', 'artists', 'album', 'genres'] as const) {
    const parsed = TrackText[name].safeParse(track[name])
    expect(parsed).toMatchObject({ success: true, data: track[name] })
  }
  expect(track.title).toMatch(/^L+$/)
})

async function lyricsOf({ id }: { id: TrackId }) {
  return fixture.db.select().from(schema.trackLyrics).where(eq(schema.trackLyrics.trackId, id))
}

const square = (background: string) =>
  sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .jpeg()
    .toBuffer()

test('tags that take too much to read are left out, and the music is published', async () => {
  const sound = await readFile(join(FIELD, 'id3-nul-values.mp3'))
  const behindTag = sound.subarray(10 + (sound[8]! << 7) + sound[9]!)
  const tag = id3v2([
    ['TIT2', utf8Text('kept')],
    ['TPOS', utf8Text('2/3')],
    ['USLT', utf8Text('eng\0one\ntwo\ud800')],
    ['TXXX', utf8Text(`x\0${'y'.repeat(4e6)}`)],
    ['APIC', picture(1, await square('blue'))],
    ['APIC', picture(4, await square('green'))],
    ['APIC', picture(3, await square('red'))],
  ])
  const track = await ingest(Buffer.concat([tag, behindTag]))
  expect(track.title).toBe('kept')
  expect(track.tags).toMatchObject({ discNumber: 2 })
  expect(await lyricsOf(track)).toMatchObject([
    { source: 'file', language: 'en', synced: false, lines: [{ text: 'one' }, { text: 'two' }] },
  ])
  expect((await coverColour(track))[0]).toBeGreaterThan(150)
})
