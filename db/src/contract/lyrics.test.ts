import fc from 'fast-check'
import { expect, test } from 'vitest'
import { languageTag, Lyrics, MAX_LYRICS_LINES, parseLyrics } from './lyrics.ts'

const line = (startS: number | null, text: string) => ({ startS, text })

test('plain text becomes lines without times, one empty line between verses', () => {
  expect(parseLyrics(' one \r\ntwo\u202e\n\n\n\nthree\n', 'eng')).toEqual({
    language: 'en',
    synced: false,
    lines: [line(null, 'one'), line(null, 'two'), line(null, ''), line(null, 'three')],
  })
})

test('LRC is read in the order of time, a line with several times at each of them', () => {
  const text = `[ti:Title]
[ar:Artist]
[la:de]
[00:12.50]first
[01:05.25][00:30.5]chorus
[00:20]
[00:21:75]<00:21.75>word <00:22.10>by word
[01:02.003]a thousandth
no time`
  expect(parseLyrics(text)).toEqual({
    language: 'de',
    synced: true,
    lines: [
      line(12.5, 'first'),
      line(20, ''),
      line(21.75, 'word by word'),
      line(30.5, 'chorus'),
      line(62.003, 'a thousandth'),
      line(65.25, 'chorus'),
    ],
  })
})

test.each([
  ['+500', [0, 9.5]],
  ['500', [0, 9.5]],
  ['-500', [0.7, 10.5]],
  [' 250 ', [0, 9.75]],
  ['soon', [0.2, 10]],
])('an offset of %s moves all lines, none before the start', (offset, starts) => {
  const lyrics = parseLyrics(`[00:00.20]a\n[offset:${offset}]\n[00:10.00]b`)
  expect(lyrics!.lines.map(({ startS }) => startS)).toEqual(starts)
})

test('what only looks like times is text', () => {
  for (const text of ['[Chorus]\nla la', '[1:99] x', 'at [00:01.00] late', '[12:ab]x'])
    expect(parseLyrics(text)).toMatchObject({ synced: false })
})

test.each(['', ' \n\u200d\n', '[00:01.00]\n[00:02.00]  ', '[ti:nothing else]\n[00:01.00]'])(
  '%j is no lyrics',
  (text) => {
    expect(parseLyrics(text)).toBeNull()
  },
)

test('there are bounds to lines and to the whole', () => {
  const many = parseLyrics(Array.from({ length: 5000 }, () => 'x').join('\n'))
  expect(many!.lines).toHaveLength(MAX_LYRICS_LINES)
  const repeated = parseLyrics(`${'[00:01.00]'.repeat(1900)}x`)
  expect(repeated!.lines).toHaveLength(MAX_LYRICS_LINES)
  expect(parseLyrics('🎵'.repeat(30_000))!.lines[0]!.text).toBe('🎵'.repeat(500))
  expect(parseLyrics('[9999:59.99]x\n[00:01.00]y')!.lines).toEqual([line(1, 'y')])
})

test('whatever it is given, lyrics are lyrics: in order, clean, without end neither in time nor length', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('[00:01.00]', '[00:59.999]', '[offset:-99999999]', '\n', '\r', '\0', '\ud800'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const lyrics = parseLyrics(pieces.join(''))
      if (lyrics === null) return
      expect(Lyrics.parse(lyrics)).toEqual(lyrics)
      expect(lyrics.lines.some(({ text }) => text !== '')).toBe(true)
      expect(JSON.stringify(lyrics)).not.toMatch(/\\u0000|\\ud[89ab]/i)
      const starts = lyrics.lines.map(({ startS }) => startS)
      expect(starts.every((startS) => (startS === null) === !lyrics.synced)).toBe(true)
      // Stable, so that nulls stay as they are.
      expect(starts).toEqual([...starts].sort((a, b) => (a ?? 0) - (b ?? 0)))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['eng', 'en'],
  ['en', 'en'],
  ['ger', 'de'],
  ['deu', 'de'],
  ['pt_br', 'pt-BR'],
  ['XXX', null],
  ['und', null],
  ['', null],
  ['\0\0\0', null],
  ['english!', null],
])('the language %j is %s', (language, tag) => {
  expect(languageTag(language)).toBe(tag)
})
