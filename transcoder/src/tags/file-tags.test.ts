import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readTags } from '../jobs/transcode/tags.ts'
import { synthesise } from '../testing/hls.ts'
import { readFileTags, type TaggedFormat } from './file-tags.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mist-file-tags-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const SOUND = ['-f', 'lavfi', '-i', 'sine=440:d=1']

test.each<[string, TaggedFormat, string[]]>([
  ['flac', 'flac', ['-c:a', 'flac']],
  ['ogg', 'ogg', ['-c:a', 'libvorbis']],
  ['opus', 'ogg', ['-c:a', 'libopus']],
  ['m4a', 'mov', ['-c:a', 'aac']],
  ['mp3', 'mp3', ['-c:a', 'libmp3lame', '-id3v2_version', '3', '-write_id3v1', '1']],
  ['wav', 'wav', ['-c:a', 'pcm_s16le', '-write_id3v2', '1']],
  ['aiff', 'aiff', ['-c:a', 'pcm_s16be', '-write_id3v2', '1']],
])(
  'what ffmpeg writes into a %s file is read, Nordic capitals too',
  async (name, format, codec) => {
    const file = await synthesise(join(folder, `tagged.${name}`), [
      ...SOUND,
      ...codec,
      '-metadata',
      'title=ÆØÅ',
      '-metadata',
      'artist=Mø',
      '-metadata',
      'genre=80s',
      '-metadata',
      'album=Øl',
      '-metadata',
      'date=1999',
      '-metadata',
      'track=3/9',
    ])
    expect(readTags((await readFileTags(file, format)).fields)).toMatchObject({
      title: 'ÆØÅ',
      artists: ['Mø'],
      album: 'Øl',
      genres: ['80s'],
      year: 1999,
      trackNumber: 3,
    })
  },
)

test('the INFO list of a WAV is read, in whatever encoding it is', async () => {
  const file = await synthesise(join(folder, 'info.wav'), [
    ...SOUND,
    '-c:a',
    'pcm_s16le',
    '-metadata',
    'title=Info TITLE',
    '-metadata',
    'artist=A',
  ])
  const bytes = await readFile(file)
  for (const [raw, title] of [
    ['Info TITLE', 'Info TITLE'],
    ['Mot\xf6r\x92s-xy', 'Motör’s-xy'],
    ['\xc7\xe5\xec\xeb\xff-2345', 'Земля-2345'],
  ] as const) {
    bytes.write(raw, bytes.indexOf('INAM') + 8, 'latin1')
    await writeFile(file, bytes)
    const { fields } = await readFileTags(file, 'wav')
    expect(readTags(fields)).toMatchObject({ title, artists: ['A'] })
  }
})

test('an ID3v1 tag at the end is read, in whatever encoding it is', async () => {
  const tag = Buffer.alloc(128)
  tag.write('TAGDon\x92t Stop', 'latin1')
  tag.write('\xc7\xe5\xec\xeb\xff', 33, 'latin1')
  tag.set([0, 7, 17], 125)
  const file = join(folder, 'old.mp3')
  await writeFile(file, Buffer.concat([Buffer.alloc(2000, 0xff), tag]))
  expect(readTags((await readFileTags(file, 'mp3')).fields)).toMatchObject({
    title: 'Don’t Stop',
    artists: ['Земля'],
    trackNumber: 7,
    genres: ['Rock'],
  })
})

const length = (value: number) => Buffer.from(Uint32Array.of(value).buffer)

test('repeated fields of a FLAC are all there, and those of a tag in front of it too', async () => {
  const file = await synthesise(join(folder, 'lists.flac'), [...SOUND, '-c:a', 'flac'])
  const flac = await readFile(file)
  const comments = [
    'ARTIST=A',
    'artist=B',
    'ARTIST=a',
    'GENRE=Pop/Funk',
    'GENRE=80s',
    'TITLE=One=two',
  ]
  const body = Buffer.concat([
    length(0),
    length(comments.length),
    ...comments.flatMap((each) => [length(each.length), Buffer.from(each)]),
  ])
  // After the mark and STREAMINFO; type 4 is VORBIS_COMMENT, with the lengths of its own counted big-endian.
  const block = Buffer.concat([Buffer.from([4, 0, 0, body.length]), body])
  const front = Buffer.from('ID3\x03\0\0\0\0\0\x0fTPUB\0\0\0\x05\0\0\0Mine', 'latin1')
  await writeFile(file, Buffer.concat([front, flac.subarray(0, 42), block, flac.subarray(42)]))
  const { fields } = await readFileTags(file, 'flac')
  expect(fields).toContainEqual({ tag: 'id3v2', name: 'TPUB', values: ['Mine'] })
  expect(readTags(fields)).toMatchObject({
    title: 'One=two',
    artists: ['A', 'B'],
    genres: ['Pop/Funk', '80s'],
  })
})

test.each<[string, TaggedFormat, string[]]>([
  ['m4a', 'mov', ['-c:a', 'aac']],
  ['mp3', 'mp3', ['-c:a', 'libmp3lame']],
  ['flac', 'flac', ['-c:a', 'flac']],
])('the picture in a %s file is found as it is', async (name, format, codec) => {
  const picture = join(folder, 'red.jpg')
  const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
  await writeFile(picture, jpeg)
  const file = await synthesise(join(folder, `cover.${name}`), [
    ...SOUND,
    '-i',
    picture,
    '-map',
    '0:a',
    '-map',
    '1:v',
    '-c:v',
    'copy',
    '-disposition:v:0',
    'attached_pic',
    ...codec,
  ])
  const { pictures } = await readFileTags(file, format)
  expect(pictures.map(({ bytes }) => jpeg.equals(bytes))).toEqual([true])
})
