import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanLines, cleanText, countChars, lineOfText, MAX_NAME_CHARS, TrackText } from './text.ts'

const SCOTLAND = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'

test.each([
  ['an emoji of a family, joined by ZWJ', '👨‍👩‍👧‍👦'],
  ['a Persian word with ZWNJ', 'می\u200cخواهم'],
  ['a Sinhala conjunct with ZWJ', 'ශ්\u200dරී'],
  ['a heart with a variation selector', '❤\ufe0f'],
  ['a flag of tag characters', SCOTLAND],
  ['a flag of two letters', '🇺🇦'],
  ['a skin tone', '👋🏽'],
  ['a Hebrew line with a mark that orders it', 'שיר C++\u200f חדש'],
  ['Nordic capitals', 'ÆØÅ'],
  ['a glyph of the private area', '\uf8ff'],
])('%s stays as it is', (_, text) => {
  expect(cleanText(text)).toBe(text)
})

test.each([
  ['white space of any kind is one space', ' a\u00a0\u3000b \t c ', 'a b c'],
  ['controls and line breaks part words', 'a\0b\r\nc\u0085d\u2028e\u001bf', 'a b c d e f'],
  ['an accent is composed', 'e\u0301', 'é'],
  ['a letter and its accent meet where something is removed', 'e\u200b\u0301', 'é'],
  ['an override goes', 'a\u202egpj.exe\u202c', 'agpj.exe'],
  ['embeddings and isolates go', '\u202aa\u202b\u2066b\u2067\u2068\u2069', 'ab'],
  ['zero-width space, joiner and soft hyphen go', 'a\u200bb\u2060c\u00add\ufeff', 'abcd'],
  ['halves of surrogate pairs go', 'a\ud800b\udc00', 'ab'],
  ['noncharacters and lost bytes go', 'a\ufffe\uffff\ufdd0\u{1ffff}\ufffdb', 'ab'],
  ['loose tag characters are no hidden text', 'a\u{e0068}\u{e0069}\u{e007f}', 'a'],
  ['a flag without its end loses its tags', '\u{1f3f4}\u{e0067}\u{e0062}', '🏴'],
  ['marks and joiners at the ends go', '\u200f\u200da \u200e', 'a'],
  ['what cannot be seen is nothing', '\u200d \u200c\u3164\ufe0f\u200f', ''],
])('%s', (_, text, clean) => {
  expect(cleanText(text)).toBe(clean)
})

test('a text is cut between graphemes, and its length counts code points', () => {
  expect(cleanText('🎵'.repeat(9999))).toBe('🎵'.repeat(MAX_NAME_CHARS))
  expect(cleanText('👨‍👩‍👧‍👦'.repeat(3), 20)).toBe('👨‍👩‍👧‍👦'.repeat(2))
  expect(cleanText(SCOTLAND.repeat(2), 10)).toBe(SCOTLAND)
  expect(cleanText('abc def', 4)).toBe('abc')
  expect(cleanText(`a${'\u0301\u0323'.repeat(400)}`, 50)).toHaveLength(50)
})

test('lyrics keep their lines, each of them clean', () => {
  expect(cleanLines('\n one \r\ntwo\u202e\r\n\r\n\n\nthree\n', 100)).toBe('one\ntwo\n\nthree')
  expect(cleanLines('one\ntwo', 4)).toBe('one')
})

const TROUBLE = [
  ' ',
  '\0',
  '\n',
  '\ud83c',
  '\udff4',
  '\u200d',
  '\u200c',
  '\u200f',
  '\u202e',
  '\u2066',
  '\u0301',
  '\u0323',
  '\u1100',
  '\u1161',
  '\ufe0f',
  '\u00ad',
  '\ufffd',
  '\u{1f3f4}',
  '\u{e0067}',
  '\u{e007f}',
  SCOTLAND,
  '👨‍👩‍👧‍👦',
  'é',
  'ﷺ',
  '\u{1d160}',
  '\u2126',
  'a',
]

/** Text out of the pieces that a rule about text can trip over. */
const nastyText = fc
  .array(fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.constantFrom(...TROUBLE)), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''))

test('cleaning twice changes nothing, and what is clean is accepted at the door', () => {
  const name = lineOfText(0, 12)
  fc.assert(
    fc.property(nastyText, fc.integer({ min: 1, max: 30 }), (text, maxChars) => {
      const clean = cleanText(text, maxChars)
      expect(cleanText(clean, maxChars)).toBe(clean)
      expect(cleanLines(clean, maxChars)).toBe(clean)
      expect(countChars(clean)).toBeLessThanOrEqual(maxChars)
      expect(clean.isWellFormed()).toBe(true)
      expect(clean).toBe(clean.normalize('NFC').trim())
      expect(clean).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      const short = cleanText(text, 12)
      expect(name.parse(short)).toBe(short)
    }),
    { numRuns: 3000 },
  )
})

test('a schema of text cleans first and judges then', () => {
  expect(TrackText.title.parse(`  a\0b\ud800${' '.repeat(500)}`)).toBe('a b')
  expect(TrackText.title.parse('🎵'.repeat(MAX_NAME_CHARS))).toHaveLength(2 * MAX_NAME_CHARS)
  expect(TrackText.title.safeParse('x'.repeat(MAX_NAME_CHARS + 1)).success).toBe(false)
  expect(TrackText.title.safeParse('\u202e \u200d').success).toBe(false)
})
