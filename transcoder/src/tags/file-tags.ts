import { openAsBlob } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { parseBlob, type IAudioMetadata, type IPicture } from 'music-metadata'
import type { Field, FileTags, Picture, TagKind } from './fields.ts'
import { id3v2Bytes, ID3V2_HEADER_BYTES, readId3v2 } from './id3v2.ts'
import { MAX_ID3_BYTES, readAt, readIffTags } from './iff.ts'
import { redecodeLatin1 } from './legacy-text.ts'

/** How the library is told what a file is; it would guess otherwise. */
const MIME_TYPES = {
  mp3: 'audio/mpeg',
  aac: 'audio/mpeg',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  mov: 'audio/mp4',
} as const

/** The formats that we read tags of, named after ffmpeg's demuxers. */
export type TaggedFormat = keyof typeof MIME_TYPES | 'wav' | 'aiff'

/** Tells whether a word names one of them. */
export function isTaggedFormat(word: string): word is TaggedFormat {
  return word === 'wav' || word === 'aiff' || Object.hasOwn(MIME_TYPES, word)
}

/** The library's names of the kinds of tag. Its own reading of ID3v2 never comes up. */
const KINDS: Readonly<Record<string, TagKind>> = {
  vorbis: 'vorbis',
  iTunes: 'itunes',
  APEv2: 'ape',
  ID3v1: 'id3v1',
}

/** What ID3v2 and FLAC number pictures by, as far as the library names it otherwise. */
const PICTURE_TYPES = [
  'Other',
  "32x32 pixels 'file icon' (PNG only)",
  'Other file icon',
  'Cover (front)',
  'Cover (back)',
  'Leaflet page',
  'Media (e.g. label side of CD)',
]

/**
 * Five silent frames of MPEG audio (layer III, 32 kbit/s, 48 kHz, mono: 96 bytes each). In front of
 * an MP3 or AAC file they end the library's search for sound, which costs a minute for a few
 * megabytes that look like sound at every byte, and of which we want nothing: the tags are at the end.
 */
const LEADING_FRAMES = Array.from({ length: 5 }, () => {
  const frame = new Uint8Array(96)
  frame.set([0xff, 0xfb, 0x14, 0xc0])
  return frame
})

const isFramed = (format: TaggedFormat) => format === 'mp3' || format === 'aac'

/** Tags in front of tags happen; more than that is a joke. */
const MAX_ID3_TAGS = 8

/** A field beyond this, in code units, is no name of anything; lyrics are shorter, too. */
const MAX_VALUE_CHARS = 64 * 1024
const MAX_FIELDS = 2000
const MAX_VALUES = 200

/**
 * Reads what the tags of a file say. It takes as long, and as much memory, as a hostile file can
 * make it: run it in a process of its own that has limits.
 */
export async function readFileTags(file: string, format: TaggedFormat): Promise<FileTags> {
  const handle = await open(file)
  try {
    const found =
      format === 'wav'
        ? await readIffTags(handle, 'riff')
        : format === 'aiff'
          ? await readIffTags(handle, 'aiff')
          : await readTagsAround(file, handle, format)
    return { fields: bounded(found.fields), pictures: found.pictures }
  } finally {
    await handle.close()
  }
}

/** ID3v2 tags in front, and what the library finds after them. */
async function readTagsAround(
  file: string,
  handle: FileHandle,
  format: keyof typeof MIME_TYPES,
): Promise<FileTags> {
  const found: FileTags = { fields: [], pictures: [] }
  let at = 0
  for (let tag = 0; tag < MAX_ID3_TAGS; tag++) {
    const bytes = id3v2Bytes(await readAt(handle, at, ID3V2_HEADER_BYTES))
    if (bytes === 0) break
    const head = await readAt(handle, at, Math.min(bytes, MAX_ID3_BYTES))
    const { fields, pictures } = readId3v2(head)
    found.fields.push(...fields)
    found.pictures.push(...pictures)
    at += bytes
  }
  const type = MIME_TYPES[format]
  const rest = (await openAsBlob(file)).slice(at, undefined, type)
  if (rest.size === 0) return found
  const { fields, pictures } = readNative(
    await parse(isFramed(format) ? new Blob([...LEADING_FRAMES, rest], { type }) : rest),
  )
  return {
    fields: [...found.fields, ...fields],
    pictures: [...found.pictures, ...pictures],
  }
}

/** What the library has found by the time it is done or gives up. */
async function parse(blob: Blob): Promise<IAudioMetadata['native']> {
  let native: IAudioMetadata['native'] = {}
  try {
    await parseBlob(blob, {
      observer({ metadata }) {
        // The collector itself: it goes on filling this object.
        if ('native' in metadata) native = metadata.native
      },
    })
  } catch {
    // A damaged tag. What came before the damage is still good.
  }
  return native
}

function readNative(native: IAudioMetadata['native']): FileTags {
  const fields = new Map<string, Field>()
  const pictures: Picture[] = []
  for (const [kind, tags] of Object.entries(native)) {
    const tag = KINDS[kind]
    if (tag === undefined) continue
    for (const { id, value } of tags) {
      if (isPicture(value)) {
        pictures.push({ type: pictureType(tag, id, value), bytes: value.data })
        continue
      }
      if (typeof value !== 'string' && typeof value !== 'number') continue
      const text = tag === 'id3v1' ? redecodeLatin1(String(value)) : String(value)
      const field = fields.get(`${tag} ${id}`) ?? { tag, name: id, values: [] }
      field.values.push(text)
      fields.set(`${tag} ${id}`, field)
    }
  }
  return { fields: [...fields.values()], pictures }
}

function isPicture(value: unknown): value is IPicture {
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    value.data instanceof Uint8Array
  )
}

function pictureType(tag: TagKind, id: string, picture: IPicture): number | null {
  // APEv2 tells it in the field's name, MP4 not at all: there the first is the front.
  if (tag === 'ape') return /front/i.test(id) ? 3 : /back/i.test(id) ? 4 : 0
  if (picture.type === undefined) return null
  const type = PICTURE_TYPES.indexOf(picture.type)
  return type < 0 ? PICTURE_TYPES.length : type
}

function bounded(fields: readonly Field[]): Field[] {
  return fields
    .map(({ tag, name, values }) => ({
      tag,
      name: name.slice(0, 200),
      values: values
        .slice(0, MAX_VALUES)
        .map((value) => value.slice(0, MAX_VALUE_CHARS))
        .filter((value) => value.trim() !== ''),
    }))
    .filter(({ values }) => values.length > 0)
    .slice(0, MAX_FIELDS)
}
