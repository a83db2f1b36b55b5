import { expect, test } from 'vitest'
import { id3v2, latin1Text, picture, utf16Text, utf8Text } from '../testing/id3v2.ts'
import { readId3v2 } from './id3v2.ts'

/** Name and values of each field. */
const fieldsOf = (tag: Uint8Array) =>
  Object.fromEntries(readId3v2(tag).fields.map(({ name, values }) => [name, values]))

const bytes = (...values: number[]) => Buffer.from([0, ...values])

test.each([
  ['UTF-16', utf16Text('Земля'), 'Земля'],
  ['UTF-16, big-endian without a mark', Buffer.from([2, 4, 0x17]), 'З'],
  ['UTF-8', utf8Text('Beyoncé'), 'Beyoncé'],
  ['Nordic UTF-8', utf8Text('ÆØÅ'), 'ÆØÅ'],
  ['Latin-1 as UTF-16, which looks like Windows-1251', utf16Text('Çåìëÿ'), 'Çåìëÿ'],
  ['Latin-1', latin1Text('Motörhead é'), 'Motörhead é'],
  ['Windows-1252 that is called Latin-1', bytes(0x44, 0x92, 0x80, 0x8a), 'D’€Š'],
  ['Windows-1251 that is called Latin-1', bytes(0xc7, 0xe5, 0xec, 0xeb, 0xff), 'Земля'],
  ['UTF-8 that is called Latin-1', Buffer.from('\0Beyoncé'), 'Beyoncé'],
  ['Latin-1 that is called UTF-8', Buffer.from('\x03Mot\xf6rhead', 'latin1'), 'Motörhead'],
])('%s is decoded', (_, content, text) => {
  for (const major of [3, 4] as const) {
    expect(fieldsOf(id3v2([['TIT2', content]], { major }))).toEqual({ TIT2: [text] })
  }
})

test('several values are parted by NUL, in any encoding', () => {
  const tag = id3v2([
    ['TPE1', utf8Text('Alpha\0Beta\0')],
    ['TPE2', utf16Text('Alpha\0\ufeffBeta')],
    ['TALB', latin1Text('AC/DC')],
  ])
  expect(fieldsOf(tag)).toEqual({
    TPE1: ['Alpha', 'Beta'],
    TPE2: ['Alpha', 'Beta'],
    TALB: ['AC/DC'],
  })
})

test('free-form frames, identifiers and lyrics are read', () => {
  const tag = id3v2([
    ['TXXX', utf16Text('Key\0\ufeffvalue')],
    ['UFID', Buffer.from('http://musicbrainz.org\0abc')],
    ['USLT', Buffer.from('\x03engwords\0one\ntwo')],
    ['PRIV', Buffer.from('nothing of ours')],
  ])
  expect(fieldsOf(tag)).toEqual({
    'TXXX:Key': ['value'],
    'UFID:http://musicbrainz.org': ['abc'],
    'USLT:eng': ['one\ntwo'],
  })
})

/** A SYLT frame's content: texts with their times. */
function sylt(pieces: readonly [text: string, ms: number][], format = 2, kind = 1): Buffer {
  const body = pieces.map(([text, ms]) => {
    const time = Buffer.alloc(4)
    time.writeUInt32BE(ms)
    return Buffer.concat([Buffer.from(`${text}\0`), time])
  })
  return Buffer.concat([
    Buffer.from('\x03eng'),
    Buffer.from([format, kind]),
    Buffer.from('words\0'),
    ...body,
  ])
}

test.each<[string, Buffer, Record<string, string[]>]>([
  [
    'lines',
    sylt([
      ['one', 1500],
      ['', 3000],
      ['two', 61_005],
    ]),
    { 'SYLT:eng': ['[00:01.500]one\n[00:03.000]\n[01:01.005]two'] },
  ],
  [
    'syllables',
    sylt([
      ['Hel', 1000],
      ['lo ', 1200],
      ['there', 1400],
      ['\nyou', 2000],
      ['\n', 3000],
    ]),
    { 'SYLT:eng': ['[00:01.000]Hello there\n[00:02.000]you\n[00:03.000]'] },
  ],
  [
    'times in frames',
    sylt(
      [
        ['one', 10],
        ['two', 20],
      ],
      1,
    ),
    { 'SYLT:eng': ['one\ntwo'] },
  ],
  ['chords', sylt([['Am', 10]], 2, 5), {}],
  [
    'a piece that breaks off',
    sylt([
      ['one', 10],
      ['two', 20],
    ]).subarray(0, -2),
    { 'SYLT:eng': ['[00:00.010]one'] },
  ],
])('synchronised lyrics of %s are read as LRC', (_, content, fields) => {
  expect(fieldsOf(id3v2([['SYLT', content]]))).toEqual(fields)
})

test.each([
  ['unsynchronised 2.3', { major: 3, unsynchronised: true }],
  ['unsynchronised 2.4', { major: 4, unsynchronised: true }],
  ['compressed 2.3', { major: 3, compressed: true }],
  ['compressed 2.4', { major: 4, compressed: true }],
  ['compressed, then unsynchronised', { major: 4, compressed: true, unsynchronised: true }],
] as const)('%s is undone, in texts and pictures', (_, options) => {
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0xff, 0, 0xff, 0xff, 0, 1])
  const frames = [
    ['TIT2', utf16Text('Ünsync ÿÿ')],
    ['APIC', picture(3, jpeg)],
    ['TPE1', utf16Text('Ärtist')],
  ] as const
  const { fields, pictures } = readId3v2(id3v2(frames, options))
  expect(fields.map(({ values }) => values)).toEqual([['Ünsync ÿÿ'], ['Ärtist']])
  expect(pictures.map(({ type }) => type)).toEqual([3])
  expect(Buffer.from(pictures[0]!.bytes).equals(jpeg)).toBe(true)
})

test('2.2 has shorter names, and says the same', () => {
  const tag = id3v2(
    [
      ['TT2', latin1Text('Title')],
      ['TP1', latin1Text('Artist')],
      ['PIC', Buffer.from('\0JPG\x03\0picture')],
    ],
    { major: 2 },
  )
  expect(fieldsOf(tag)).toEqual({ TIT2: ['Title'], TPE1: ['Artist'] })
  expect(readId3v2(tag).pictures).toMatchObject([{ type: 3 }])
})

test('sizes that iTunes wrote plainly into 2.4 are understood', () => {
  const long = utf8Text('x'.repeat(299))
  const tag = id3v2([
    ['TIT2', long],
    ['TPE1', utf8Text('Artist')],
  ])
  // 300 as one number, where 2.4 has seven bits a byte.
  tag.writeUInt32BE(300, 14)
  expect(fieldsOf(tag)).toMatchObject({ TPE1: ['Artist'] })
})

test.each([
  ['a frame that claims to go on behind the tag', id3v2([['TIT2', utf8Text('kept')]])],
  [
    'a tag that claims to go on behind the file',
    id3v2([['TIT2', utf8Text('kept')]], { claims: 2 ** 28 - 1 }),
  ],
])('%s is read as far as it goes', (_, tag) => {
  const more = Buffer.concat([tag, Buffer.from('TPE1\x00\x7f\x7f\x7f\0\0\x03abc', 'latin1')])
  expect(fieldsOf(more)['TIT2']).toEqual(['kept'])
})

test('no bytes whatever make it throw', () => {
  const whole = id3v2(
    [
      ['TXXX', utf16Text('Key\0\ufeffvalue')],
      ['APIC', picture(3, Buffer.alloc(20, 0xff))],
      ['USLT', Buffer.from('\x03engwords\0one')],
    ],
    { major: 3, unsynchronised: true },
  )
  for (let at = 0; at <= whole.length; at++) {
    readId3v2(whole.subarray(0, at))
    for (const value of [0, 0x7f, 0x80, 0xff]) {
      const broken = Buffer.from(whole)
      broken[at] = value
      expect(() => readId3v2(broken)).not.toThrow()
    }
  }
})
