import sharp from 'sharp'
import { expect, test } from 'vitest'
import { byPreference, decodedBytes, makeCovers, coloursOf } from './covers.ts'

const square = (background: string) =>
  sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .jpeg()
    .toBuffer()

/** The colour of a cover's first pixel, as text. */
async function colourOf(bytes: Uint8Array): Promise<string> {
  const [red = 0, green = 0, blue = 0] = await sharp(bytes).raw().toBuffer()
  return red > 150 ? 'red' : green > 100 ? 'green' : blue > 150 ? 'blue' : 'none'
}

test('the front comes first, icons last, and in between what is nearest to a cover', () => {
  const types = [1, 4, 2, null, 8, 3, 0, 3]
  const pictures = types.map((type, at) => ({ type, bytes: Uint8Array.of(at) }))
  expect(byPreference(pictures).map(({ bytes }) => bytes[0])).toEqual([5, 7, 3, 6, 1, 4, 0, 2])
})

test('a picture that is none does not hide the next one', async () => {
  const skipped: string[] = []
  const pictures = [
    { type: 0, bytes: await square('blue') },
    { type: 3, bytes: Buffer.from('\xff\xd8\xff garbage', 'latin1') },
    { type: 3, bytes: new Uint8Array() },
    { type: 3, bytes: await square('red') },
    { type: 1, bytes: await square('green') },
  ]
  const made = await makeCovers(pictures, [96, 32], (reason) => skipped.push(reason))
  expect(made?.covers.map(({ size }) => size)).toEqual([96, 32])
  expect(await colourOf(made!.covers[0]!.bytes)).toBe('red')
  expect(skipped).toHaveLength(2)
})

test.each([
  ['colour', 'red', /^#f[ef]0[01]0[01]$/],
  ['grey', '#808080', /^#(?:7f|80|81)(?:7f|80|81)(?:7f|80|81)$/],
])(
  'the colours of a cover in %s are found, and again in the stored one',
  async (_, colour, like) => {
    const picture = { create: { width: 64, height: 64, channels: 3, background: colour } } as const
    const bytes = await sharp(picture)
      .toColourspace(colour === 'red' ? 'srgb' : 'b-w')
      .png()
      .toBuffer()
    const made = await makeCovers([{ type: 3, bytes }], [96], () => {})
    expect(made!.colours).toHaveLength(3)
    expect(made!.colours[0]).toMatch(like)
    const [stored] = await coloursOf(made!.covers[0]!.bytes)
    expect(stored).toMatch(colour === 'red' ? /^#f.0.0.$/ : /^#[78].[78].[78].$/)
  },
)

test('no more than six pictures are tried', async () => {
  const broken = { type: 3, bytes: Buffer.from('\xff\xd8\xff', 'latin1') }
  const pictures = [
    ...Array.from({ length: 6 }, () => broken),
    { type: 3, bytes: await square('red') },
  ]
  expect(await makeCovers(pictures, [32], () => {})).toBeNull()
})

test.each([
  [
    'a plain PNG comes row by row',
    { format: 'png', width: 9900, height: 9900, channels: 4, depth: 'ushort' },
    0,
  ],
  [
    'an interlaced 16-bit PNG is in memory as a whole',
    { format: 'png', width: 9900, height: 9900, channels: 4, depth: 'ushort', isProgressive: true },
    748,
  ],
  ['a JPEG comes row by row', { format: 'jpeg', width: 8000, height: 6250, channels: 3 }, 0],
  [
    'a progressive JPEG collects its coefficients',
    { format: 'jpeg', width: 8000, height: 8000, channels: 3, isProgressive: true },
    366,
  ],
  [
    'a JPEG to be turned is in memory, as small as libjpeg makes it',
    { format: 'jpeg', width: 6400, height: 6400, channels: 3, orientation: 6 },
    2,
  ],
  [
    'a PNG to be turned is too',
    { format: 'png', width: 4000, height: 4000, channels: 3, orientation: 6 },
    46,
  ],
  [
    'a WebP is in memory as a whole',
    { format: 'webp', width: 8000, height: 8000, channels: 3 },
    244,
  ],
] as const)('%s', (_, picture, megabytes) => {
  const bytes = decodedBytes({ depth: 'uchar', isProgressive: false, ...picture }, 800)
  expect(Math.round(bytes / 1024 ** 2)).toBe(megabytes)
})
