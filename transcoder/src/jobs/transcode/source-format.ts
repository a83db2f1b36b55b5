import { open, type FileHandle } from 'node:fs/promises'
import { UnplayableSource } from './failures.ts'
import { adtsFrameBytes, isFreeFormat, mpegFrameBytes } from './mpeg-frames.ts'

/** The demuxers that may open an upload. Each reads one local file and nothing that it points to. */
type Demuxer = 'mp3' | 'flac' | 'wav' | 'mov' | 'ogg' | 'aac' | 'aiff'

export type SourceFormat = {
  demuxer: Demuxer
  /** As people call it. */
  name: string
  /** Where the sound begins, if behind something that the demuxer does not skip by itself. */
  skipBytes?: number
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
const MAX_TAGS = 8

/** Zeros behind a tag that forgot to say how long it is padded. */
const MAX_ZERO_BYTES = 16 * 1024 ** 2

type Head = {
  /** The first bytes behind the tags. */
  head: Buffer
  tagged: boolean
  /** Where they begin, if demuxers need to be told. */
  skipBytes?: number
}

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
    const head = await headAfterTags(handle)
    const format = sniff(head)
    // The other formats count offsets from where the file begins.
    return head.skipBytes === undefined || (format !== MP3 && format !== AAC)
      ? format
      : { ...format, skipBytes: head.skipBytes }
  } finally {
    await handle.close()
  }
}

/** The first bytes after ID3v2 and APE tags (which also come before AAC and FLAC) and zeros. */
async function headAfterTags(handle: FileHandle): Promise<Head> {
  let at = 0
  // ffmpeg itself skips ID3 tags, as many as there are, and reads them.
  let isPlain = true
  for (let tag = 0; ; tag++) {
    const head = await readAt(handle, at)
    const size = tag === MAX_TAGS ? 0 : tagBytes(head)
    if (size > 0) {
      at += size
      isPlain &&= head[0] === 0x49
      continue
    }
    if (tag === 0) return { head, tagged: false }
    const sound = await skipZeros(handle, at, head)
    return isPlain && sound === at
      ? { head, tagged: true }
      : { head: await readAt(handle, sound), tagged: true, skipBytes: sound }
  }
}

/** Bytes of the tag that begins here, or 0. */
export function tagBytes(head: Buffer): number {
  if (head.length >= 10 && head.toString('latin1', 0, 3) === 'ID3') {
    // The size is four bytes of seven bits (ID3v2.4 §6.2); a footer adds ten bytes.
    const size =
      (head[6]! & 0x7f) * 2 ** 21 +
      (head[7]! & 0x7f) * 2 ** 14 +
      (head[8]! & 0x7f) * 2 ** 7 +
      (head[9]! & 0x7f)
    return 10 + size + (head[5]! & 0x10 ? 10 : 0)
  }
  // An APEv2 tag at the start has a header of 32 bytes, whose size counts all but itself.
  if (head.length >= 32 && head.toString('latin1', 0, 8) === 'APETAGEX') {
    return 32 + head.readUInt32LE(12)
  }
  return 0
}

async function readAt(handle: FileHandle, at: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, at)
  return buffer.subarray(0, bytesRead)
}

/** Where the first byte that is not 0 is, from the block `head` at `at` on. */
async function skipZeros(handle: FileHandle, at: number, head: Buffer): Promise<number> {
  let block = head
  let from = at
  while (block.length > 0 && from - at < MAX_ZERO_BYTES) {
    const first = block.findIndex((byte) => byte !== 0)
    // Less than a block is nothing that a demuxer could not skip; it finds tags and frames itself.
    if (first >= 0) return from === at ? at : from + first
    from += block.length
    block = await readAt(handle, from)
  }
  return at
}

/**
 * Recognises the format of a file from its first bytes, after ID3 tags.
 *
 * @throws UnplayableSource `not-audio`, `unsupported-format`
 */
export function sniff({ head, tagged }: Pick<Head, 'head' | 'tagged'>): SourceFormat {
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
  const strange = isLatm(head)
    ? 'AAC in a LATM stream'
    : isFreeFormat(head)
      ? 'an MP3 file in the free format'
      : null
  if (strange !== null) {
    throw new UnplayableSource(
      'unsupported-format',
      `This is ${strange}, which few players read. Upload it as MP3, FLAC, WAV, M4A, OGG, AAC or AIFF.`,
    )
  }
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

/** Whether two frames in a row of LATM in LOAS begin here (ISO/IEC 14496-3 §1.7.2). */
function isLatm(head: Buffer): boolean {
  const frameBytes = (at: number) =>
    at + 3 <= head.length && head[at] === 0x56 && (head[at + 1]! & 0xe0) === 0xe0
      ? 3 + (((head[at + 1]! & 0x1f) << 8) | head[at + 2]!)
      : 0
  const first = frameBytes(0)
  return first > 0 && (frameBytes(first) > 0 || first === head.length)
}
