import { COVER_SIZES, type CoverSize } from '@mist/db/contract'
import sharp from 'sharp'
import type { Ffmpeg } from '../../platform/ffmpeg/index.ts'
import { coverOptions, probeOptions } from './ffmpeg-args.ts'
import type { Source } from './source.ts'

/** A picture larger than this is skipped, not decoded. */
const MAX_PIXELS = 100_000_000

/** Embedded pictures above this are skipped. */
const MAX_BYTES = 32 * 1024 ** 2

/** Kinds of picture that we decode; vector formats and the rest are none. */
const STARTS: readonly { bytes: string; at: number }[] = [
  { bytes: '\xff\xd8\xff', at: 0 },
  { bytes: '\x89PNG\r\n', at: 0 },
  { bytes: 'GIF8', at: 0 },
  { bytes: 'WEBP', at: 8 },
]

export type Cover = { size: CoverSize; bytes: Uint8Array }

// One picture at a time needs no cache, and libvips' threads would take the encoder's cores.
sharp.cache(false)
sharp.concurrency(1)

/**
 * Reads the embedded picture and scales it to WebP squares, cut to the middle. A picture that can't
 * be used is no reason to refuse the music: it is skipped.
 *
 * @param onSkipped told why there is no cover although the file has a picture
 * @returns one cover of each size, or null
 */
export async function readCover(options: {
  ffmpeg: Ffmpeg
  folder: string
  file: string
  source: Source
  signal: AbortSignal
  onSkipped: (reason: string) => void
}): Promise<Cover[] | null> {
  const { ffmpeg, folder, file, source, signal, onSkipped } = options
  if (source.coverStream === null) return null
  try {
    const chunks: Buffer[] = []
    let size = 0
    await ffmpeg.stream(
      {
        folder,
        input: file,
        // As for ffprobe: without a picture's decoder ffmpeg learns no dimensions, and then it copies
        // no picture ("dimensions not set").
        inputOptions: probeOptions(source.format),
        outputOptions: coverOptions(source.coverStream),
        signal,
      },
      (chunk) => {
        size += chunk.length
        if (size > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES} bytes`)
        chunks.push(chunk)
      },
    )
    return await scaleCover(Buffer.concat(chunks))
  } catch (error) {
    signal.throwIfAborted()
    onSkipped(error instanceof Error ? error.message : String(error))
    return null
  }
}

/** Scales a picture to all cover sizes. @throws when it is not a picture or has too many pixels */
async function scaleCover(picture: Buffer): Promise<Cover[]> {
  const known = STARTS.some(
    ({ bytes, at }) => picture.toString('latin1', at, at + bytes.length) === bytes,
  )
  if (!known) throw new TypeError('it is not a JPEG, PNG, GIF or WebP')
  const largest = Math.max(...COVER_SIZES)
  // The big picture is decoded once, row by row; the small ones come from the largest cover.
  const { data, info } = await sharp(picture, {
    limitInputPixels: MAX_PIXELS,
    sequentialRead: true,
    failOn: 'error',
  })
    .rotate()
    .resize(largest, largest, { fit: 'cover' })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const raw = { raw: { width: info.width, height: info.height, channels: info.channels } }
  const covers: Cover[] = []
  for (const size of COVER_SIZES) {
    const bytes = await sharp(data, raw)
      .resize(size, size)
      .webp({ quality: 80, effort: 3 })
      .toBuffer()
    covers.push({ size, bytes: new Uint8Array(bytes) })
  }
  return covers
}
