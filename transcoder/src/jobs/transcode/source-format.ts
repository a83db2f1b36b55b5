import { open, type FileHandle } from 'node:fs/promises'
import { UnplayableSource } from './failures.ts'

/** The demuxers that may open an upload. Each reads one local file and nothing that it points to. */
type Demuxer = 'mp3' | 'flac' | 'wav' | 'mov' | 'ogg' | 'aac' | 'aiff'

export type SourceFormat = {
  demuxer: Demuxer
  /** As people call it. */
  name: string
}

const MP3: SourceFormat = { demuxer: 'mp3', name: 'MP3' }
const FLAC: SourceFormat = { demuxer: 'flac', name: 'FLAC' }
const WAV: SourceFormat = { demuxer: 'wav', name: 'WAV' }
const MP4: SourceFormat = { demuxer: 'mov', name: 'MP4' }
const OGG: SourceFormat = { demuxer: 'ogg', name: 'Ogg' }
const AAC: SourceFormat = { demuxer: 'aac', name: 'AAC' }
const AIFF: SourceFormat = { demuxer: 'aiff', name: 'AIFF' }

/** How the file types which people try, and which we refuse, begin. */
const REFUSED: readonly { starts: string; at?: number; name: string }[] = [
  { starts: '\x1aE\xdf\xa3', name: 'a Matroska or WebM file' },
  { starts: '0&\xb2u\x8ef\xcf\x11', name: 'a Windows Media file' },
  { starts: 'AVI ', at: 8, name: 'an AVI video' },
  { starts: 'FLV', name: 'a Flash video' },
  { starts: 'MThd', name: 'a MIDI file, which holds notes and no sound' },
  { starts: 'wvpk', name: 'a WavPack file' },
  { starts: 'MAC ', name: "a Monkey's Audio file" },
  { starts: 'DSD ', name: 'a DSD file' },
  { starts: 'caff', name: 'a Core Audio file' },
  { starts: '%PDF', name: 'a PDF document' },
  { starts: 'PK\x03\x04', name: 'a ZIP archive or an office document' },
  { starts: '\x89PNG', name: 'a picture' },
  { starts: '\xff\xd8\xff', name: 'a picture' },
]

/** Enough to find two frames of MPEG audio after some rubbish. */
const HEAD_BYTES = 65_536

/** Tags in front of tags happen; more than that is a joke. */
const MAX_ID3_TAGS = 8

/**
 * Tells by its first bytes what a file is. The name and the declared type are never asked, and no
 * demuxer but the one for those bytes gets to see the file: ffmpeg 5.1 would open a playlist,
 * whatever its name, and decode the other local file that it points to.
 *
 * @throws UnplayableSource `empty-file`, `not-audio`, `unsupported-format`
 */
export async function readSourceFormat(file: string): Promise<SourceFormat> {
  const handle = await open(file)
  try {
    if ((await handle.stat()).size === 0) {
      throw new UnplayableSource('empty-file', 'The file is empty. Upload it again.')
    }
    return sniff(await headAfterTags(handle))
  } finally {
    await handle.close()
  }
}

/** The first bytes after ID3v2 tags (which also come before AAC and FLAC). */
async function headAfterTags(handle: FileHandle): Promise<{ head: Buffer; tagged: boolean }> {
  let at = 0
  for (let tag = 0; ; tag++) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, at)
    const head = buffer.subarray(0, bytesRead)
    if (tag === MAX_ID3_TAGS || bytesRead < 10 || head.toString('latin1', 0, 3) !== 'ID3') {
      return { head, tagged: tag > 0 }
    }
    // The size is four bytes of seven bits (ID3v2.4 §6.2); a footer adds ten bytes.
    const size =
      (head[6]! & 0x7f) * 2 ** 21 +
      (head[7]! & 0x7f) * 2 ** 14 +
      (head[8]! & 0x7f) * 2 ** 7 +
      (head[9]! & 0x7f)
    at += 10 + size + (head[5]! & 0x10 ? 10 : 0)
  }
}

/**
 * Recognises the format of a file from its first bytes, after ID3 tags.
 *
 * @throws UnplayableSource `not-audio`, `unsupported-format`
 */
export function sniff({ head, tagged }: { head: Buffer; tagged: boolean }): SourceFormat {
  const text = (at: number, length: number) => head.toString('latin1', at, at + length)
  if (text(0, 4) === 'fLaC') return FLAC
  if (text(0, 4) === 'OggS') return OGG
  if (/^(RIFF|RF64|BW64)/.test(text(0, 4)) && text(8, 4) === 'WAVE') return WAV
  if (text(0, 4) === 'FORM' && /^AIF[FC]$/.test(text(8, 4))) return AIFF
  if (/^(ftyp|moov|mdat|wide|free|skip|pnot)$/.test(text(4, 4))) return MP4
  const refused = REFUSED.find(({ starts, at = 0 }) => text(at, starts.length) === starts)
  if (refused !== undefined) {
    throw new UnplayableSource(
      'unsupported-format',
      `This is ${refused.name}. Upload MP3, FLAC, WAV, M4A, OGG, AAC or AIFF.`,
    )
  }
  const frames = findFrames(head)
  if (frames !== null) return frames
  throw new UnplayableSource(
    'not-audio',
    looksLikeText(head)
      ? 'This is a text file, not audio. Upload MP3, FLAC, WAV, M4A, OGG, AAC or AIFF.'
      : tagged
        ? 'The file has tags but no audio that we can find.'
        : 'This is not an audio file. Upload MP3, FLAC, WAV, M4A, OGG, AAC or AIFF.',
  )
}

function looksLikeText(head: Buffer): boolean {
  const sample = head.subarray(0, 1024)
  return sample.length > 0 && sample.every((byte) => byte >= 32 || (byte >= 9 && byte <= 13))
}

/** Finds two frames in a row of MPEG audio or ADTS; one alone may be chance. */
function findFrames(head: Buffer): SourceFormat | null {
  for (let at = 0; at + 7 < head.length; at++) {
    if (head[at] !== 0xff) continue
    for (const [length, format] of [
      [adtsFrameBytes(head, at), AAC],
      [mpegFrameBytes(head, at), MP3],
    ] as const) {
      if (length === 0) continue
      const next = at + length
      const another = format === AAC ? adtsFrameBytes(head, next) : mpegFrameBytes(head, next)
      if (another > 0 || next === head.length) return format
    }
  }
  return null
}

/** Bytes in the ADTS frame at `at`, or 0 where there is none (ISO/IEC 13818-7 §6.2). */
export function adtsFrameBytes(bytes: Buffer, at: number): number {
  if (at + 7 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xf6) !== 0xf0) return 0
  if (((bytes[at + 2]! >> 2) & 0xf) > 12) return 0
  const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5)
  return length > 7 ? length : 0
}

/** kbit/s by index: MPEG-1 layers I, II, III, then MPEG-2 layer I, and its layers II and III. */
const BITRATES = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const

const SAMPLE_RATES = [44_100, 48_000, 32_000] as const

/** Bytes in the MPEG audio frame at `at`, or 0 where there is none (ISO/IEC 11172-3 §2.4.1.3). */
function mpegFrameBytes(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return 0
  const version = (bytes[at + 1]! >> 3) & 3
  const layer = 4 - ((bytes[at + 1]! >> 1) & 3)
  const rateIndex = (bytes[at + 2]! >> 2) & 3
  if (version === 1 || layer === 4 || rateIndex === 3) return 0
  const isFirstVersion = version === 3
  const table = isFirstVersion ? BITRATES[layer - 1] : BITRATES[layer === 1 ? 3 : 4]
  const kbits = table?.[bytes[at + 2]! >> 4] ?? 0
  if (kbits === 0) return 0
  const rate = SAMPLE_RATES[rateIndex]! / (isFirstVersion ? 1 : version === 2 ? 2 : 4)
  const padding = (bytes[at + 2]! >> 1) & 1
  if (layer === 1) return (Math.floor((12_000 * kbits) / rate) + padding) * 4
  const samples = layer === 3 && !isFirstVersion ? 576 : 1152
  return Math.floor((samples * 125 * kbits) / rate) + padding
}
