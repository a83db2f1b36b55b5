import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import {
  derivePeriodKey,
  parseKeyRing,
  periodOfSegment,
  segmentIv,
  segmentKey,
  type TrackId,
  unwrapMasterKey,
} from '@mist/db/contract'
import { renditions, trackKeys, tracks, trackVersions } from '@mist/db/schema'
import { and, eq } from 'drizzle-orm'
import type { Database } from '../platform/database.ts'

const run = promisify(execFile)

/** All keys under a prefix of a bucket. */
export async function listKeys(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = []
  let token: string | undefined
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
    )
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []))
    token = page.NextContinuationToken
  } while (token !== undefined)
  return keys
}

export async function getMedia(s3: S3Client, key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: key }))
  return Buffer.from(await Body!.transformToByteArray())
}

/**
 * Writes a published rendition to a folder as a player would get it: playlist, clear init, encrypted
 * segments and a key file for each period.
 *
 * @param withKeys false: the playlist claims that the segments are clear
 * @returns the playlist's path
 */
export async function exportHls(
  { db, s3, keyRing }: { db: Database; s3: S3Client; keyRing: string },
  trackId: TrackId,
  rendition: string,
  folder: string,
  { withKeys = true }: { withKeys?: boolean } = {},
): Promise<string> {
  await mkdir(folder, { recursive: true })
  const [track] = await db.select().from(tracks).where(eq(tracks.id, trackId))
  const version = track!.version!
  const [made] = await db
    .select()
    .from(trackVersions)
    .where(and(eq(trackVersions.trackId, trackId), eq(trackVersions.version, version)))
  const [key] = await db.select().from(trackKeys).where(eq(trackKeys.trackId, trackId))
  const [row] = await db
    .select()
    .from(renditions)
    .where(and(eq(renditions.trackId, trackId), eq(renditions.name, rendition)))
  const master = await unwrapMasterKey(
    parseKeyRing(keyRing),
    key!.kid,
    new Uint8Array(key!.wrapped),
    trackId,
    version,
  )
  await writeFile(join(folder, 'init.mp4'), row!.init)
  const count = (await listKeys(s3, 'media', `tracks/${trackId}/${version}/${rendition}/`)).filter(
    (each) => each.endsWith('.m4s'),
  ).length
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:5',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-MAP:URI="init.mp4"',
  ]
  for (let segment = 0; segment < count; segment++) {
    const bytes = await getMedia(s3, segmentKey(trackId, version, rendition, segment))
    await writeFile(join(folder, `${segment}.m4s`), bytes)
    if (withKeys) {
      const period = periodOfSegment(segment, made!.segmentsPerPeriod)
      const derived = await derivePeriodKey(master, trackId, version, period)
      await writeFile(join(folder, `${period}.key`), derived)
      const iv = Buffer.from(segmentIv(row!.ivSeed, segment)).toString('hex')
      lines.push(`#EXT-X-KEY:METHOD=AES-128,URI="${period}.key",IV=0x${iv}`)
    }
    lines.push('#EXTINF:4.0,', `${segment}.m4s`)
  }
  const playlist = join(folder, 'playlist.m3u8')
  await writeFile(playlist, `${[...lines, '#EXT-X-ENDLIST'].join('\n')}\n`)
  return playlist
}

/** Decodes anything to stereo 16-bit PCM with the real ffmpeg. */
export async function decode(file: string, extra: string[] = []): Promise<Int16Array> {
  const { stdout } = await run(
    'ffmpeg',
    [
      '-v',
      'error',
      '-allowed_extensions',
      'ALL',
      '-i',
      file,
      '-map',
      '0:a:0',
      ...extra,
      '-ac',
      '2',
      '-f',
      's16le',
      '-',
    ],
    { encoding: 'buffer', maxBuffer: 1024 ** 3 },
  )
  return new Int16Array(Uint8Array.from(stdout).buffer)
}

/** The same for a file that is not a playlist. */
export async function decodeFile(file: string, extra: string[] = []): Promise<Int16Array> {
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-map', '0:a:0', ...extra, '-ac', '2', '-f', 's16le', '-'],
    { encoding: 'buffer', maxBuffer: 1024 ** 3 },
  )
  return new Int16Array(Uint8Array.from(stdout).buffer)
}

/** Measures what a playlist sounds like, LUFS, with ffmpeg's meter. */
export async function loudnessOf(playlist: string): Promise<number> {
  const { stderr } = await run('ffmpeg', [
    '-hide_banner',
    '-nostats',
    '-allowed_extensions',
    'ALL',
    '-i',
    playlist,
    '-af',
    'ebur128=framelog=verbose',
    '-f',
    'null',
    '-',
  ])
  return Number(/I:\s+(-[\d.]+)/.exec(stderr.slice(stderr.lastIndexOf('Summary:')))?.[1])
}

/** Makes a file with ffmpeg; `args` come before its name. */
export async function synthesise(file: string, args: readonly string[]): Promise<string> {
  await run('ffmpeg', ['-y', '-v', 'error', ...args, file])
  return file
}

/** How alike two signals are at a shift, −1…1 (normalised correlation of the left channel). */
export function correlation(a: Int16Array, b: Int16Array, shift: number): number {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i += 2) {
    const j = i + 2 * shift
    if (j < 0 || j >= b.length) continue
    ab += a[i]! * b[j]!
    aa += a[i]! ** 2
    bb += b[j]! ** 2
  }
  return ab / Math.sqrt(aa * bb || 1)
}
