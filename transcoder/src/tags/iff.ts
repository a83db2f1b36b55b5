import type { FileHandle } from 'node:fs/promises'
import type { Field, FileTags } from './fields.ts'
import { readId3v2 } from './id3v2.ts'
import { decodeLegacy } from './legacy-text.ts'

/** Files have a dozen chunks; a million empty ones are an attack. */
const MAX_CHUNKS = 2000

/** Largest chunk of texts that is read, bytes. */
const MAX_TEXT_BYTES = 1024 ** 2

/** Largest ID3v2 tag that is read, bytes. */
export const MAX_ID3_BYTES = 64 * 1024 ** 2

/** Text chunks of AIFF that are a field of their own (AIFF 1.3, "Text Chunks"). */
const AIFF_TEXTS = ['NAME', 'AUTH']

/**
 * Reads the tags of a WAV or AIFF file: its ID3 chunk, and the text chunks of either format. Their
 * text is in an encoding that nobody states, so it has to be had in bytes.
 *
 * @param kind RIFF counts in little-endian, AIFF in big-endian numbers
 */
export async function readIffTags(handle: FileHandle, kind: 'riff' | 'aiff'): Promise<FileTags> {
  const found: FileTags = { fields: [], pictures: [] }
  const { size } = await handle.stat()
  let at = 12
  for (let chunk = 0; chunk < MAX_CHUNKS && at + 8 <= size; chunk++) {
    const header = await readAt(handle, at, 8)
    const id = header.toString('latin1', 0, 4)
    const declared = kind === 'riff' ? header.readUInt32LE(4) : header.readUInt32BE(4)
    const start = at + 8
    const bytes = Math.min(declared, size - start)
    if (/^id3 $/i.test(id) && bytes <= MAX_ID3_BYTES) {
      const { fields, pictures } = readId3v2(await readAt(handle, start, bytes))
      found.fields.push(...fields)
      found.pictures.push(...pictures)
    } else if (kind === 'riff' && id === 'LIST' && bytes <= MAX_TEXT_BYTES) {
      found.fields.push(...readInfoList(await readAt(handle, start, bytes)))
    } else if (kind === 'aiff' && AIFF_TEXTS.includes(id) && bytes <= MAX_TEXT_BYTES) {
      found.fields.push(textField('aiff', id, await readAt(handle, start, bytes)))
    }
    // Chunks begin at even places.
    at = start + declared + (declared % 2)
  }
  return found
}

/** The texts of a `LIST` chunk of kind `INFO`. */
function readInfoList(list: Buffer): Field[] {
  const fields: Field[] = []
  if (list.toString('latin1', 0, 4) !== 'INFO') return fields
  for (let at = 4; at + 8 <= list.length && fields.length < MAX_CHUNKS;) {
    const bytes = list.readUInt32LE(at + 4)
    const start = at + 8
    const id = list.toString('latin1', at, at + 4)
    fields.push(textField('riff', id, list.subarray(start, start + bytes)))
    at = start + bytes + (bytes % 2)
  }
  return fields
}

function textField(tag: Field['tag'], name: string, bytes: Buffer): Field {
  const end = bytes.indexOf(0)
  const text = decodeLegacy(end < 0 ? bytes : bytes.subarray(0, end))
  return { tag, name, values: text.trim() === '' ? [] : [text] }
}

/** Reads up to `length` bytes; fewer at the end of the file, whatever a header claims. */
export async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { size } = await handle.stat()
  const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - at)))
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
  return buffer.subarray(0, bytesRead)
}
