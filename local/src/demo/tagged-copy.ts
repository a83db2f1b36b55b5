import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What is written into the copy's tags. */
export type Tags = { title: string; artists: readonly string[]; genres: readonly string[] }

/** What {@link makeTaggedCopy} needs. */
export type TaggedCopyOptions = {
  source: string
  /** A private folder, which the caller removes. */
  workDir: string
  tags: Tags
  /** A JPEG file's bytes. */
  cover: Buffer
  ffmpegPath: string
}

/** Tells whether a recording carries a cover already. */
export async function hasCover(file: string, ffprobePath: string): Promise<boolean> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    'stream=index',
    '-of',
    'csv',
  ]
  return (await run(ffprobePath, [...args, file], { timeout: 30_000 })).stdout.trim() !== ''
}

/**
 * Copies a recording that has no cover, and writes title, artists, genre and a cover into the copy's tags. The sound
 * itself is copied bit by bit.
 *
 * @returns the copy's path
 */
export async function makeTaggedCopy(options: TaggedCopyOptions): Promise<string> {
  const { source, workDir, tags, cover, ffmpegPath } = options
  const extension = extname(source)
  const copy = join(workDir, `copy${extension}`)
  const lines = [
    ';FFMETADATA1',
    `title=${escape(tags.title)}`,
    `artist=${escape(tags.artists.join('; '))}`,
    `genre=${escape(tags.genres.join('; '))}`,
  ]
  const inputs = ['-i', source]
  const output: string[] = []
  if (extension === '.ogg') {
    // Ogg has no picture streams: the picture is a comment (xiph.org, "METADATA_BLOCK_PICTURE").
    lines.push(`METADATA_BLOCK_PICTURE=${escape(pictureBlock(cover).toString('base64'))}`)
    output.push('-map', '0:a', '-map_metadata:s:a', '1:g')
  } else {
    const picture = join(workDir, 'cover.jpg')
    await writeFile(picture, cover)
    inputs.push('-i', picture)
    output.push('-map', '0:a', '-map', '1:v', '-map_metadata', '2')
    output.push('-disposition:v:0', 'attached_pic')
  }
  const metadata = join(workDir, 'tags.txt')
  await writeFile(metadata, `${lines.join('\n')}\n`)
  const args = ['-v', 'error', '-y', ...inputs, '-f', 'ffmetadata', '-i', metadata, ...output]
  await run(ffmpegPath, [...args, '-c', 'copy', '-id3v2_version', '3', copy], { timeout: 60_000 })
  return copy
}

/** Escapes a value of ffmpeg's metadata format ("ffmpeg-formats", section "Metadata"). */
function escape(value: string): string {
  return value.replaceAll(/[=;#\\\n]/g, (character) => `\\${character}`)
}

/** FLAC's PICTURE block (RFC 9639, section 8.8), as Vorbis comments hold it. Sizes may stay 0. */
function pictureBlock(jpeg: Buffer): Buffer {
  const type = Buffer.from('image/jpeg')
  const head = Buffer.alloc(8)
  head.writeUInt32BE(3, 0) // 3: front cover
  head.writeUInt32BE(type.length, 4)
  const rest = Buffer.alloc(24) // no description; width, height, depth, colours: not told
  rest.writeUInt32BE(jpeg.length, 20)
  return Buffer.concat([head, type, rest, jpeg])
}
