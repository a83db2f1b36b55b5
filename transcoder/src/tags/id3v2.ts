import { inflateSync } from 'node:zlib'
import type { Field, FileTags, Picture } from './fields.ts'
import { decodeLegacy } from './legacy-text.ts'

/**
 * A reader of ID3v2.2, 2.3 and 2.4 of our own. The library that reads the other kinds of tag does
 * not say which encoding a frame declared (so nothing can be guessed from its bytes again), tears
 * unsynchronised 2.3 tags apart, splits "AC/DC", and drops what a genre has in parentheses.
 */

/** More frames than any tagger writes. */
const MAX_FRAMES = 10_000

/** Bytes that the compressed frames of one tag may inflate to. */
const MAX_INFLATED_BYTES = 32 * 1024 ** 2

export const ID3V2_HEADER_BYTES = 10

/** Names of ID3v2.2 frames that have another one since. */
const RENAMED: Readonly<Record<string, string>> = {
  TT2: 'TIT2',
  TP1: 'TPE1',
  TP2: 'TPE2',
  TAL: 'TALB',
  TCO: 'TCON',
  TYE: 'TYER',
  TOR: 'TORY',
  TRK: 'TRCK',
  TPA: 'TPOS',
  TCP: 'TCMP',
  TXX: 'TXXX',
  UFI: 'UFID',
  ULT: 'USLT',
  SLT: 'SYLT',
  PIC: 'APIC',
}

/**
 * Tells the size in bytes of the tag that starts with `header`, its header and footer included; 0
 * where no ID3v2 tag starts.
 */
export function id3v2Bytes(header: Uint8Array): number {
  if (header.length < ID3V2_HEADER_BYTES || latin1(header, 0, 3) !== 'ID3') return 0
  const footer = header[5]! & 0x10 ? ID3V2_HEADER_BYTES : 0
  return ID3V2_HEADER_BYTES + syncsafe(header, 6) + footer
}

/**
 * Reads a whole tag. What is damaged is left out, and what could be read before it is told.
 *
 * @param tag from `ID3` on
 */
export function readId3v2(tag: Uint8Array): FileTags {
  const found: FileTags = { fields: [], pictures: [] }
  if (id3v2Bytes(tag) === 0) return found
  const major = tag[3]!
  const flags = tag[5]!
  if (major < 2 || major > 4) return found
  // In ID3v2.2 this bit means a compression that was never specified.
  if (major === 2 && flags & 0x40) return found
  const isUnsynchronised = (flags & 0x80) !== 0
  let body = tag.subarray(ID3V2_HEADER_BYTES, ID3V2_HEADER_BYTES + syncsafe(tag, 6))
  // Up to 2.3 the whole tag is unsynchronised, frame headers too; since 2.4 each frame's content.
  if (isUnsynchronised && major < 4) body = resynchronise(body)
  let at = flags & 0x40 && major > 2 ? extendedHeaderBytes(body, major) : 0
  const budget = { inflated: MAX_INFLATED_BYTES }
  for (let frame = 0; frame < MAX_FRAMES; frame++) {
    const header = frameHeader(body, at, major)
    if (header === null) break
    const start = at + header.headerBytes
    at = start + header.sizeBytes
    const content = frameContent(body.subarray(start, at), {
      major,
      format: header.format,
      isUnsynchronised,
      budget,
    })
    if (content === null || content.length === 0) continue
    readFrame(found, RENAMED[header.id] ?? header.id, content, major)
  }
  return found
}

/** Undoes unsynchronisation: a zero byte after each 0xFF was put in (ID3v2.4 §6.1). */
function resynchronise(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    plain[length++] = bytes[at]!
    if (bytes[at] === 0xff && bytes[at + 1] === 0) at++
  }
  return plain.subarray(0, length)
}

function extendedHeaderBytes(body: Uint8Array, major: number): number {
  if (body.length < 4) return body.length
  return major === 4 ? syncsafe(body, 0) : 4 + uint32(body, 0)
}

type FrameHeader = { id: string; headerBytes: number; sizeBytes: number; format: number }

function frameHeader(body: Uint8Array, at: number, major: number): FrameHeader | null {
  const idChars = major === 2 ? 3 : 4
  const headerBytes = major === 2 ? 6 : 10
  if (!isFrameAt(body, at, idChars) || at + headerBytes > body.length) return null
  const id = latin1(body, at, at + idChars)
  if (major === 2) {
    const sizeBytes = (body[at + 3]! << 16) | (body[at + 4]! << 8) | body[at + 5]!
    return { id, headerBytes, sizeBytes, format: 0 }
  }
  const format = body[at + 9]!
  const plain = uint32(body, at + 4)
  if (major === 3) return { id, headerBytes, sizeBytes: plain, format }
  const safe = syncsafe(body, at + 4)
  // iTunes wrote the sizes of 2.4 as those of 2.3: believed where only so the next frame is found.
  const isPlain =
    plain !== safe &&
    !isFrameOrEnd(body, at + headerBytes + safe) &&
    isFrameOrEnd(body, at + headerBytes + plain)
  return { id, headerBytes, sizeBytes: isPlain ? plain : safe, format }
}

function isFrameOrEnd(body: Uint8Array, at: number): boolean {
  return at === body.length || (at < body.length && (body[at] === 0 || isFrameAt(body, at, 4)))
}

function isFrameAt(body: Uint8Array, at: number, idChars: number): boolean {
  return /^[A-Z][A-Z0-9]{2,3}$/.test(latin1(body, at, at + idChars))
}

/** Takes off what a frame's format flags announce; null where it can't be read. */
function frameContent(
  bytes: Uint8Array,
  options: {
    major: number
    format: number
    isUnsynchronised: boolean
    budget: { inflated: number }
  },
): Uint8Array | null {
  const { major, format, isUnsynchronised, budget } = options
  if (major === 2) return bytes
  if (major === 3) {
    if (format & 0x40) return null // encrypted
    const skipped = (format & 0x80 ? 4 : 0) + (format & 0x20 ? 1 : 0)
    return format & 0x80 ? inflate(bytes.subarray(skipped), budget) : bytes.subarray(skipped)
  }
  if (format & 0x04) return null // encrypted
  const grouped = format & 0x40 ? bytes.subarray(1) : bytes
  const sized = format & 0x01 ? grouped.subarray(4) : grouped
  const plain = isUnsynchronised || format & 0x02 ? resynchronise(sized) : sized
  return format & 0x08 ? inflate(plain, budget) : plain
}

function inflate(bytes: Uint8Array, budget: { inflated: number }): Uint8Array | null {
  if (budget.inflated < 1) return null
  try {
    const plain = inflateSync(bytes, { maxOutputLength: budget.inflated })
    budget.inflated -= plain.length
    return plain
  } catch {
    // Damaged, or a bomb: either way the rest of the tag need not inflate any more.
    budget.inflated = 0
    return null
  }
}

function readFrame(found: FileTags, id: string, content: Uint8Array, major: number): void {
  if (id === 'APIC') {
    const picture = readPicture(content, major)
    if (picture !== null) found.pictures.push(picture)
  } else if (id === 'TXXX') {
    const [description, rest] = readTerminated(content.subarray(1), content[0]!)
    add(found.fields, `TXXX:${description}`, readTexts(rest, content[0]!))
  } else if (id === 'USLT') {
    // Encoding, language of three letters, description, text.
    const [, rest] = readTerminated(content.subarray(4), content[0]!)
    add(found.fields, `USLT:${latin1(content, 1, 4)}`, [readTexts(rest, content[0]!).join('\n')])
  } else if (id === 'SYLT') {
    const [, rest] = readTerminated(content.subarray(6), content[0]!)
    add(found.fields, `SYLT:${latin1(content, 1, 4)}`, [readSynced(content, rest)])
  } else if (id === 'UFID') {
    const end = content.indexOf(0)
    if (end < 0) return
    const name = `UFID:${latin1(content, 0, end)}`
    add(found.fields, name, [latin1(content, end + 1, content.length)])
  } else if (id.startsWith('T')) {
    add(found.fields, id, readTexts(content.subarray(1), content[0]!))
  }
}

function add(fields: Field[], name: string, values: string[]): void {
  const told = values.filter((value) => value.trim() !== '')
  if (told.length > 0) fields.push({ tag: 'id3v2', name, values: told })
}

/** How times are told in `SYLT`: milliseconds, not frames of MPEG. */
const IN_MILLISECONDS = 2

/** Kinds of `SYLT` that are words to be sung; others are chords, events and trivia. */
const SUNG = [0, 1, 2]

/**
 * Reads synchronised lyrics as LRC (ID3v2.4 §4.9): encoding, language, how times are told, kind,
 * description; then each text and its time. What is timed by frames has its words only.
 */
function readSynced(content: Uint8Array, body: Uint8Array): string {
  const [encoding = 0, , , , format, kind = 0] = content
  if (!SUNG.includes(kind)) return ''
  const pieces: { text: string; ms: number }[] = []
  let rest = body
  while (rest.length > 4 && pieces.length < MAX_FRAMES) {
    const [text, timed] = readTerminated(rest, encoding)
    if (timed.length < 4) break
    pieces.push({ text, ms: uint32(timed, 0) })
    rest = timed.subarray(4)
  }
  // Words and syllables follow one another until one begins a line; or each is a line.
  const isJoined = pieces.slice(1).some(({ text }) => /^[\r\n]/.test(text))
  let lrc = ''
  for (const [index, { text, ms }] of pieces.entries()) {
    const begins = index === 0 || !isJoined || /^[\r\n]/.test(text)
    if (begins) lrc += `\n${format === IN_MILLISECONDS ? stampOf(ms) : ''}`
    lrc += text.replace(/[\r\n]+/g, begins ? '' : ' ')
  }
  return lrc.slice(1)
}

const two = (value: number) => String(Math.floor(value)).padStart(2, '0')

/** `[mm:ss.xxx]` */
function stampOf(ms: number): string {
  const thousandths = String(ms % 1000).padStart(3, '0')
  return `[${two(ms / 60_000)}:${two((ms / 1000) % 60)}.${thousandths}]`
}

/** MIME type (three letters in 2.2), kind, description, bytes. */
function readPicture(content: Uint8Array, major: number): Picture | null {
  const mimeEnd = major === 2 ? 4 : content.indexOf(0, 1)
  if (mimeEnd < 0) return null
  // The bytes are an address, not a picture.
  if (latin1(content, 1, 4) === '-->') return null
  const at = major === 2 ? mimeEnd : mimeEnd + 1
  const type = content[at]
  if (type === undefined) return null
  const [, bytes] = readTerminated(content.subarray(at + 1), content[0]!)
  return { type, bytes }
}

/** Reads a text up to its terminator, and what is left after it. */
function readTerminated(bytes: Uint8Array, encoding: number): [text: string, rest: Uint8Array] {
  const isWide = encoding === 1 || encoding === 2
  const step = isWide ? 2 : 1
  for (let at = 0; at + step <= bytes.length; at += step) {
    if (bytes[at] !== 0 || (isWide && bytes[at + 1] !== 0)) continue
    return [decode(bytes.subarray(0, at), encoding), bytes.subarray(at + step)]
  }
  return [decode(bytes, encoding), bytes.subarray(bytes.length)]
}

/** Reads a list of texts, parted by NUL as ID3v2.4 has it; taggers of 2.3 do the same. */
function readTexts(bytes: Uint8Array, encoding: number): string[] {
  const texts: string[] = []
  let rest = bytes
  while (rest.length > 0 && texts.length < MAX_FRAMES) {
    const [text, more] = readTerminated(rest, encoding)
    texts.push(text)
    rest = more
  }
  return texts
}

const utf16le = new TextDecoder('utf-16le')
const utf16be = new TextDecoder('utf-16be')

/** Decodes text in the encoding that its frame states: 0 Latin-1, 1 UTF-16, 2 UTF-16BE, 3 UTF-8. */
function decode(bytes: Uint8Array, encoding: number): string {
  if (encoding === 1) {
    const isBigEndian = bytes[0] === 0xfe && bytes[1] === 0xff
    return (isBigEndian ? utf16be : utf16le).decode(bytes)
  }
  if (encoding === 2) return utf16be.decode(bytes)
  // "Latin-1" is whatever the tagger's machine used; and "UTF-8" that is none is guessed as well.
  return decodeLegacy(bytes)
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to)
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}

/** Four bytes of seven bits (ID3v2.4 §6.2). */
function syncsafe(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! & 0x7f) * 2 ** 21 +
    (bytes[at + 1]! & 0x7f) * 2 ** 14 +
    (bytes[at + 2]! & 0x7f) * 2 ** 7 +
    (bytes[at + 3]! & 0x7f)
  )
}
