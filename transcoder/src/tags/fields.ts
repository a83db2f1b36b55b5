import { z } from 'zod'

/** The kinds of tag that a file can hold; one file may have several. */
const TagKind = z.enum(['id3v2', 'vorbis', 'itunes', 'ape', 'id3v1', 'aiff', 'riff'])
export type TagKind = z.infer<typeof TagKind>

/**
 * One field of a tag as the file has it, decoded and otherwise untouched.
 *
 * `name` is the format's own: `TIT2`, `TXXX:MusicBrainz Album Id`, `ARTIST`, `©nam`,
 * `----:com.apple.iTunes:LABEL`. `values` are in the order of the file.
 */
export const Field = z.object({ tag: TagKind, name: z.string(), values: z.array(z.string()) })
export type Field = z.infer<typeof Field>

/** A picture out of a file. */
export type Picture = {
  /** What it shows, as ID3v2 and FLAC number it (3: front cover); null where the tag does not say. */
  type: number | null
  bytes: Uint8Array
}

/** What the tags of a file hold. */
export type FileTags = { fields: Field[]; pictures: Picture[] }
