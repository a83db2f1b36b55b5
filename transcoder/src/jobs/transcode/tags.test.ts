import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { TrackText } from '@mist/db/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFileTags, type TaggedFormat } from '../../tags/file-tags.ts'
import type { Field } from '../../tags/fields.ts'
import { describe } from './describe.ts'
import { readTags, splitArtists } from './tags.ts'

const FIELD = fileURLToPath(new URL('../../../fixtures/field/', import.meta.url))

const FORMATS: Record<string, TaggedFormat> = {
  mp3: 'mp3',
  flac: 'flac',
  m4a: 'mov',
  aiff: 'aiff',
}

async function tagsOf(name: string) {
  const { fields } = await readFileTags(FIELD + name, FORMATS[name.split('.').at(-1)!]!)
  return readTags(fields)
}

test.each([
  ['id3-nul-values.mp3', { artists: ['Alpha', 'Beta', 'Gamma'], genres: ['Jazz', 'Funk'] }],
  ['id3-genre-0.mp3', { genres: ['80s'] }],
  ['id3-genre-1.mp3', { genres: ['8-bit'] }],
  ['id3-txxx-title.mp3', { title: 'right title', artists: ['right artist'] }],
  ['m4a-two-artists.m4a', { artists: ['Alpha', 'Beta'] }],
  ['id3-cp1252.mp3', { title: 'Don’t Stop – €uro', artists: ['Škoda'] }],
  ['id3-unsync23.mp3', { title: 'Ünsync 23', artists: ['Ärtist'] }],
  [
    'ape-only.mp3',
    { title: 'ape title', artists: ['Alpha', 'Beta'], year: 1999, trackNumber: 3, genres: ['80s'] },
  ],
  ['id3-tdor.mp3', { year: 1978 }],
  ['flac-date-fallback.flac', { year: 2003 }],
  ['flac-genre-comma.flac', { genres: ['Folk, World, & Country'] }],
  ['aiff-auth.aiff', { title: 'Aiff name', artists: ['Aiff author'] }],
  ['flac-compilation-1.flac', { albumArtist: 'Various Artists', artists: ['Comp A'] }],
  ['flac-compilation-2.flac', { albumArtist: 'Various Artists', artists: ['Comp B'] }],
])('the tags of %s are read right', async (name, right) => {
  expect(await tagsOf(name)).toMatchObject(right)
})

/** Fields of one tag: `of('id3v2', { TIT2: 'a', TPE1: ['b', 'c'] })`. */
function of(tag: Field['tag'], values: Record<string, string | string[]>): Field[] {
  return Object.entries(values).map(([name, value]) => ({
    tag,
    name,
    values: Array.isArray(value) ? value : [value],
  }))
}

test.each([
  ['AC/DC', ['AC/DC']],
  ['Simon & Garfunkel', ['Simon & Garfunkel']],
  ['Tyler, the Creator', ['Tyler, the Creator']],
  ['A; B;a', ['A', 'B']],
  ['A feat. B', ['A', 'B']],
  ['A / B ft. C', ['A', 'B', 'C']],
  ['', []],
])('%j is credited to %j', (line, names) => {
  expect(splitArtists(line)).toEqual(names)
})

test('a list of artists is credited as it is, but for guests', () => {
  const { artists } = readTags(of('vorbis', { ARTIST: ['A; B', 'C / D', 'E feat. F', 'c / d'] }))
  expect(artists).toEqual(['A; B', 'C / D', 'E', 'F'])
})

test('each field is taken from the most trusted tag that has it', () => {
  const tags = readTags([
    ...of('id3v1', { title: 'Cut at thirty chara', genre: 'Rock', track: '9' }),
    ...of('ape', { Title: 'Cut at thirty characters', Genre: 'Pop' }),
    ...of('id3v2', { TIT2: 'Not cut at thirty characters' }),
  ])
  expect(tags).toMatchObject({
    title: 'Not cut at thirty characters',
    genres: ['Pop'],
    trackNumber: 9,
  })
})

test('a free-form field answers where no standard one does, and never against one', () => {
  const free = of('itunes', {
    '----:com.apple.iTunes:ARTISTS': ['X', 'Y'],
    '----:com.apple.iTunes:ALBUM ARTIST': 'Z',
    '----:com.apple.iTunes:TITLE': 'wrong',
  })
  expect(readTags(free)).toMatchObject({ artists: ['X', 'Y'], albumArtist: 'Z', title: null })
  expect(
    readTags([...free, ...of('itunes', { '©ART': 'A', aART: 'B', '©nam': 'T' })]),
  ).toMatchObject({ artists: ['A'], albumArtist: 'B', title: 'T' })
})

test.each([
  [{ ORIGINALDATE: '0000', DATE: '1999-07-19' }, 1999],
  [{ ORIGINALDATE: 'unknown', DATE: '1999' }, 1999],
  [{ ORIGINALDATE: '2003-13-45', DATE: '1999' }, 1999],
  [{ ORIGINALDATE: '1978', DATE: '1999' }, 1978],
  [{ ORIGINALDATE: '', DATE: '19990719' }, 1999],
  [{ DATE: '2003-13-45' }, 2003],
  [{ DATE: ['soon', '1999'] }, 1999],
  [{ DATE: '19.07.1999' }, 1999],
  [{ DATE: '1999-00-00' }, 1999],
  [{ DATE: '1999-07-19T00:00:00Z' }, 1999],
  [{ DATE: '0', YEAR: '2001' }, 2001],
  [{ DATE: 'soon' }, null],
  [{ DATE: '20251' }, null],
])('the year of %j is %j', (fields, year) => {
  expect(readTags(of('vorbis', fields)).year).toBe(year)
})

test.each([
  ['07/12', 7],
  ['7', 7],
  [['A', '3'], 3],
  ['0', null],
  ['A1', null],
  ['99999', null],
])('the number of %j is %j', (value, number) => {
  const tags = readTags(of('id3v2', { TRCK: value, TPOS: value }))
  expect([tags.trackNumber, tags.discNumber]).toEqual([number, number])
})

test.each([
  ['id3v2', { TCMP: '1', TPE1: 'A' }],
  ['itunes', { cpil: '1', '©ART': 'A' }],
  ['ape', { Compilation: '1', Artist: 'A' }],
  ['id3v2', { 'TXXX:COMPILATION': '1', TPE1: 'A' }],
] as const)('a compilation told by %s %j belongs to Various Artists', (tag, fields) => {
  expect(readTags(of(tag, fields))).toMatchObject({
    isCompilation: true,
    albumArtist: 'Various Artists',
    artists: ['A'],
  })
})

test('a compilation that names its album artist keeps it, and what is none has none', () => {
  expect(readTags(of('vorbis', { COMPILATION: '1', ALBUMARTIST: 'A DJ' })).albumArtist).toBe('A DJ')
  expect(readTags(of('vorbis', { COMPILATION: '0', ARTIST: 'A' })).albumArtist).toBeNull()
})

test('a compilation stays one when the admin has typed who its tracks are by', () => {
  const tags = readTags(of('id3v2', { TCMP: '1', TALB: 'Now', TPE1: 'A' }))
  expect(describe('ingest', { artists: ['B'] }, tags, [])).toMatchObject({
    artists: ['B'],
    albumArtist: 'Various Artists',
  })
})

const id = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-${digit.repeat(12)}`

test('MusicBrainz and ReplayGain are read, whatever the format calls them', () => {
  const right = {
    musicBrainz: { recordingId: id('a'), releaseId: id('b'), artistIds: [id('c'), id('d')] },
    replayGain: { trackGainDb: -6.5, trackPeak: 0.98, albumGainDb: null },
  }
  const id3v2 = of('id3v2', {
    'UFID:http://musicbrainz.org': id('a'),
    'TXXX:MusicBrainz Album Id': id('b').toUpperCase(),
    'TXXX:MusicBrainz Artist Id': `${id('c')}/${id('d')}`,
    'TXXX:replaygain_track_gain': '-6.50 dB',
    'TXXX:replaygain_track_peak': '0.98',
    'TXXX:replaygain_album_gain': 'loud',
  })
  const vorbis = of('vorbis', {
    MUSICBRAINZ_TRACKID: id('a'),
    MUSICBRAINZ_ALBUMID: id('b'),
    MUSICBRAINZ_ARTISTID: [id('c'), id('d')],
    REPLAYGAIN_TRACK_GAIN: '-6.5 dB',
    REPLAYGAIN_TRACK_PEAK: '0.98',
  })
  const itunes = of('itunes', {
    '----:com.apple.iTunes:MusicBrainz Track Id': id('a'),
    '----:com.apple.iTunes:MusicBrainz Album Id': id('b'),
    '----:com.apple.iTunes:MusicBrainz Artist Id': [id('c'), id('d')],
    '----:com.apple.iTunes:replaygain_track_gain': '-6.5 dB',
    '----:com.apple.iTunes:replaygain_track_peak': '0.98',
  })
  for (const fields of [id3v2, vorbis, itunes]) expect(readTags(fields)).toMatchObject(right)
})

/** What the API would be sent, if a client sent back what it was told. */
function violations(fields: readonly Field[]): string[] {
  const told = describe('ingest', {}, readTags(fields), [])
  return (Object.keys(TrackText) as (keyof typeof TrackText)[]).filter((name) => {
    const value = told[name]
    if (value === undefined) return false
    const parsed = TrackText[name].safeParse(value)
    return !parsed.success || JSON.stringify(parsed.data) !== JSON.stringify(value)
  })
}

test('whatever the tags, the API accepts what is published, and changes nothing of it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'L'.repeat(5000),
      'g, '.repeat(90),
      '\u202e\u200d',
      '12',
      '2003-13-45',
      ' ; / ',
    ),
  )
  const names = ['TITLE', 'ARTIST', 'ALBUM', 'ALBUMARTIST', 'GENRE', 'DATE', 'TRACKNUMBER']
  const field = fc.record({
    tag: fc.constant('vorbis' as const),
    name: fc.constantFrom(...names),
    values: fc.array(text, { maxLength: 40 }),
  })
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      expect(violations(fields)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test.each(readdirSync(FIELD).filter((name) => FORMATS[name.split('.').at(-1)!] !== undefined))(
  'the API accepts what is published of %s',
  async (name) => {
    const { fields } = await readFileTags(FIELD + name, FORMATS[name.split('.').at(-1)!]!)
    expect(violations(fields)).toEqual([])
  },
)
