import sharp, { type Metadata, type Sharp } from 'sharp'
import { findColours } from './colours.ts'
import type { Picture } from './fields.ts'

/** A picture with more pixels is skipped, even where it could be decoded row by row. */
const MAX_PIXELS = 100_000_000

/**
 * What decoding one picture may keep in memory at once, bytes. An interlaced 16-bit PNG of 9900 by
 * 9900 pixels takes 700 MB; a progressive JPEG of 4000 by 4000, as shops send them, 96.
 */
const MAX_DECODED_BYTES = 128 * 1024 ** 2

/** Embedded pictures above this are skipped. */
const MAX_BYTES = 32 * 1024 ** 2

/** So many pictures of a file are tried, until one works. */
const MAX_TRIED = 6

/** One picture is given up after this time of decoding. */
const MAX_DECODE_S = 20

/** Kinds of picture that we decode; vector formats and the rest are none. */
const STARTS: readonly { bytes: string; at: number }[] = [
  { bytes: '\xff\xd8\xff', at: 0 },
  { bytes: '\x89PNG\r\n', at: 0 },
  { bytes: 'GIF8', at: 0 },
  { bytes: 'WEBP', at: 8 },
]

/** Kinds of picture (ID3v2 §4.14, APIC), the ones that make a cover first. */
const FRONT = 3
const OTHER = 0
const ICONS = [1, 2]

/** Edge of the small picture that colours are found in, pixels. */
const COLOURS_EDGE = 48

type Cover = { size: number; bytes: Uint8Array }

/** A picture in all sizes, and what colours it has. */
export type Covers = { covers: Cover[]; colours: string[] }

// One picture at a time needs no cache, and libvips' threads would take the encoder's cores.
sharp.cache(false)
sharp.concurrency(1)

/**
 * Orders a file's pictures by how well they serve as its cover: the front; what nobody has given a
 * kind; back, leaflet and artist; icons. Of one kind, the first in the file comes first.
 */
export function byPreference(pictures: readonly Picture[]): Picture[] {
  return [...pictures].sort((a, b) => rank(a) - rank(b))
}

function rank({ type }: Picture): number {
  if (type === FRONT) return 0
  if (type === null || type === OTHER) return 1
  return ICONS.includes(type) ? 3 : 2
}

/**
 * Makes covers of the first picture that can be used, in order of preference: WebP squares, cut to
 * the middle. A picture that can't be used is no reason to refuse the music: it is skipped.
 *
 * @param sizes edges in pixels
 * @param onSkipped told why a picture was not used
 * @returns one cover of each size and the picture's colours, or null
 */
export async function makeCovers(
  pictures: readonly Picture[],
  sizes: readonly number[],
  onSkipped: (reason: string) => void,
): Promise<Covers | null> {
  for (const { bytes } of byPreference(pictures).slice(0, MAX_TRIED)) {
    try {
      return await scale(bytes, sizes)
    } catch (error) {
      onSkipped(error instanceof Error ? error.message : String(error))
    }
  }
  return null
}

/** Scales a picture to all sizes. @throws when it is not a picture, or takes too much to decode */
async function scale(picture: Uint8Array, sizes: readonly number[]): Promise<Covers> {
  if (picture.length > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES} bytes`)
  const head = Buffer.from(picture.subarray(0, 16)).toString('latin1')
  if (!STARTS.some(({ bytes, at }) => head.startsWith(bytes, at))) {
    throw new TypeError('it is not a JPEG, PNG, GIF or WebP')
  }
  const input = { limitInputPixels: MAX_PIXELS, sequentialRead: true, failOn: 'error' } as const
  const largest = Math.max(...sizes)
  const neededBytes = decodedBytes(await sharp(picture, input).metadata(), largest)
  if (neededBytes > MAX_DECODED_BYTES) {
    throw new RangeError(`decoding it takes ${Math.round(neededBytes / 1024 ** 2)} MB of memory`)
  }
  // The big picture is decoded once, row by row; the small ones come from the largest cover.
  const { data, info } = await sharp(picture, input)
    .timeout({ seconds: MAX_DECODE_S })
    .rotate()
    .resize(largest, largest, { fit: 'cover' })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const raw = { raw: { width: info.width, height: info.height, channels: info.channels } }
  const covers: Cover[] = []
  for (const size of sizes) {
    const bytes = await sharp(data, raw)
      .resize(size, size)
      .webp({ quality: 80, effort: 3 })
      .toBuffer()
    covers.push({ size, bytes: new Uint8Array(bytes) })
  }
  return { covers, colours: await coloursIn(sharp(data, raw)) }
}

/** Finds the colours of a cover that is stored already. */
export function coloursOf(cover: Uint8Array): Promise<string[]> {
  return coloursIn(sharp(cover, { limitInputPixels: MAX_PIXELS }).flatten().toColourspace('srgb'))
}

async function coloursIn(picture: Sharp): Promise<string[]> {
  const { data, info } = await picture
    .resize(COLOURS_EDGE, COLOURS_EDGE, { kernel: 'linear' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  // Of a grey picture one byte a pixel comes.
  const rgb =
    info.channels === 1 ? Uint8Array.from([...data].flatMap((byte) => [byte, byte, byte])) : data
  return findColours(rgb)
}

/**
 * Reckons what decoding a picture has to keep at once, bytes. Baseline JPEG and plain PNG come row
 * by row; the others, and what must be turned, are in memory as a whole.
 */
export function decodedBytes(
  picture: Pick<
    Metadata,
    'format' | 'width' | 'height' | 'channels' | 'depth' | 'isProgressive'
  > & {
    orientation?: number | undefined
  },
  largest: number,
): number {
  const { format, width, height, channels, depth, isProgressive, orientation = 1 } = picture
  const pixels = width * height
  const isTurned = orientation > 1
  if (format === 'jpeg') {
    // A progressive JPEG's coefficients, two bytes each, are collected before the first row is told.
    if (isProgressive) return pixels * channels * 2
    // libjpeg halves up to three times while it decodes.
    const halvings = Math.min(
      3,
      Math.max(0, Math.floor(Math.log2(Math.min(width, height) / largest))),
    )
    return isTurned ? (pixels * channels) / 4 ** halvings : 0
  }
  if (format === 'png' && !isProgressive && !isTurned) return 0
  return pixels * Math.max(channels, format === 'png' ? 1 : 4) * (depth === 'ushort' ? 2 : 1)
}
