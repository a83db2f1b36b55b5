import fc from 'fast-check'

/** Text in a JSON body that stands for a number as it is written here. */
const raw = (number: string) => `\u{1f9ea}${number}\u{1f9ea}`

/** Writes JSON, with the numbers that JavaScript would not write. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"\u{1f9ea}([^"]*)\u{1f9ea}"/gu, '$1')
}

const FRACTIONS = [0.5, 5e-324, -5e-324, 2.2250738585072014e-308, 12.000_000_1]
const LARGE = [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64, 1e308, -1e308]

const RAW_NUMBERS = ['-0', '1e999', '-1e999', '1E400', '0.1e-400', '9'.repeat(400)].map(raw)

/** Numbers at the edges of what JavaScript, JSON and Postgres agree on. */
export const hostileNumber: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(0, 1, -1, ...FRACTIONS, ...LARGE, ...RAW_NUMBERS),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
)

/** Instants that one of JavaScript, ISO 8601 and Postgres does not know. */
const INSTANTS = [
  '0000-01-01T00:00:00.000000Z',
  '0001-01-01T00:00:00.000000Z',
  '1969-12-31T23:59:59.999999Z',
  '2026-02-30T00:00:00.000000Z',
  '2026-06-30T23:59:60.000000Z',
  '2026-01-01T24:00:00.000000Z',
  '9999-12-31T23:59:59.999999Z',
  '+275760-09-13T00:00:00.000000Z',
  '-000001-01-01T00:00:00.000000Z',
  '294277-01-01T00:00:00.000000Z',
  'infinity',
  'epoch',
  'now',
  '2026-01-01T00:00:00.000000+99:00',
]

const base64url = (text: string) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')

/** Cursors that are ours, nearly ours, and nobody's. */
export const hostileCursor: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom<unknown>('2026-01-01T00:00:00.000000Z', ...INSTANTS, 0, null, {}),
      fc.constantFrom<unknown>('0198C9A0-0000-7000-8000-00000000000A', 'x', '', 1, null, ['a']),
    )
    .map((parts) => base64url(writeJson(parts))),
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('2026-01-01T00:00:00.000000Z', ...INSTANTS), fc.uuid())
      .map((parts) => base64url(writeJson(parts))),
  },
  fc.json().map(base64url),
  fc.constantFrom('', '=', '%', 'null', base64url('[['.repeat(200)), 'A'.repeat(501)),
  fc.string(),
)

/** Identifiers that are nobody's, and what is no identifier. */
export const hostileId: fc.Arbitrary<string> = fc.oneof(
  fc.uuid(),
  fc.constantFrom(
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    '{0198c9a0-0000-7000-8000-000000000000}',
    '0198c9a0000070008000000000000000',
    '0198c9a0-0000-7000-8000-00000000000a\0',
    '../../etc/passwd',
    '1',
    '-1',
  ),
)

const STRINGS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00b',
  '\r\nx-injected: 1',
  'audio/flac\r\n',
  'audio/флак',
  'audio/flac; name="ü"',
  'audio/flac;charset=\u{1f600}',
  '‮gnp.exe',
  'שלום',
  '\u0085\u009b',
  '\u{1f468}‍\u{1f469}‍\u{1f467}',
  'NaN',
  'Infinity',
  '-0',
  '5e-324',
  '1e308',
  '0x10',
  '1_000',
  '١٢٣',
  'null',
  'true',
  '[object Object]',
  '__proto__',
  'constructor',
  "'; drop table users; --",
  '$1',
  '%00',
  '%ZZ',
  '%E0%A4%A',
  '%',
  '..%2f..%2f',
  '<script>alert(1)</script>',
  'one.flac',
  'audio/flac',
  'ｗｉｄｅ',
  'e\u0301'.repeat(30),
]

/** Text of every kind that has broken something somewhere. */
export const hostileString: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...STRINGS, ...INSTANTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(100_000), '\u{1f600}'.repeat(20_000)) },
)

/** Text that no header can hold, or not as it is. */
export const hostileHeader: fc.Arbitrary<string> = fc.constantFrom(
  'audio/flac\r\nx-injected: 1',
  'audio/flac\n',
  'audio/\u0444\u043b\u0430\u043a',
  'audio/flac;name="\u00fc"',
  'audio/flac\0',
  'audio/flac; x="\ud800"',
  '\u{1f3b5}/\u{1f3b5}',
)

/** Any JSON value. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileString },
  { weight: 3, arbitrary: hostileNumber },
  { weight: 1, arbitrary: hostileId },
  { weight: 2, arbitrary: fc.constantFrom(null, true, false, [], {}, [[]], [null], [{}]) },
  { weight: 1, arbitrary: fc.jsonValue() },
)
