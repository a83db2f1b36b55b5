import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COVER_SIZES, type CoverSize } from '@mist/db/contract'
import { z } from 'zod'
import { ConfinedNodeFailed, makeConfinedNode } from '../../platform/confined-node.ts'
import { Field } from '../../tags/fields.ts'
import type { SourceFormat } from './source-format.ts'

const ENTRY = fileURLToPath(new URL('../../tags/entry.ts', import.meta.url))

/** Half a second is usual for the first file; a busy machine takes a few. */
const LIMITS = {
  cpuS: 30,
  wallS: 120,
  heapBytes: 256 * 1024 ** 2,
  memoryBytes: 640 * 1024 ** 2,
  restingBytes: 200 * 1024 ** 2,
  fileBytes: 8 * 1024 ** 2,
  outputBytes: 8 * 1024 ** 2,
}

const Colours = z.array(z.string().regex(/^#[0-9a-f]{6}$/)).length(3)

const Answer = z.object({
  fields: z.array(Field),
  coverSizes: z.array(z.literal(COVER_SIZES)),
  colours: Colours.nullable(),
  skipped: z.array(z.string()),
})

type Cover = { size: CoverSize; bytes: Uint8Array }

/** What a file has beside its sound. */
export type Described = {
  /** Null where the tags could not be read. */
  fields: Field[] | null
  /** One cover of each size, or null. */
  covers: Cover[] | null
  /** Three of the picture's colours, where there are covers. */
  colours: string[] | null
}

export type TagReader = ReturnType<typeof makeTagReader>

/** Makes the reader of all files' tags and covers: a process of its own, within limits. */
export function makeTagReader() {
  const node = makeConfinedNode({ module: ENTRY, limits: LIMITS })

  return {
    /**
     * Reads a file's tags and makes its covers. Tags that can't be read, or that take too much to read,
     * are no reason to refuse the music.
     *
     * @param coverSizes of the covers to make, pixels
     * @param onSkipped told why a picture, or all the tags, were not used
     */
    async read(options: {
      folder: string
      file: string
      format: SourceFormat
      coverSizes: readonly CoverSize[]
      signal: AbortSignal
      onSkipped: (reason: string) => void
    }): Promise<Described> {
      const { folder, file, format, signal, onSkipped } = options
      const request = {
        kind: 'file',
        folder,
        file,
        format: format.demuxer,
        sizes: options.coverSizes,
      }
      try {
        const { fields, coverSizes, colours, skipped } = Answer.parse(
          await node.ask(request, signal, hasSkipped),
        )
        skipped.forEach(onSkipped)
        const covers: Cover[] = []
        for (const size of coverSizes) {
          covers.push({ size, bytes: await readFile(join(folder, `cover-${size}.webp`)) })
        }
        return { fields, covers: covers.length > 0 ? covers : null, colours }
      } catch (error) {
        if (!(error instanceof ConfinedNodeFailed)) throw error
        onSkipped(`the tags could not be read: ${error.message}`)
        return { fields: null, covers: null, colours: null }
      }
    },

    /** Finds the colours of a cover in a file; null where it can't be read. */
    async coloursOf(folder: string, file: string, signal: AbortSignal): Promise<string[] | null> {
      try {
        return Colours.parse(await node.ask({ kind: 'cover', folder, file }, signal))
      } catch (error) {
        if (!(error instanceof ConfinedNodeFailed)) throw error
        return null
      }
    },
    close: () => node.close(),
  }
}

/** A picture that breaks its decoder is what an attack on it looks like: no file after it is at risk. */
function hasSkipped(answer: unknown): boolean {
  return Answer.parse(answer).skipped.length > 0
}
