import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COVER_SIZES, type CoverSize } from '@mist/db/contract'
import { z } from 'zod'
import { ConfinedNodeFailed, runConfinedNode } from '../../platform/confined-node.ts'
import { Field } from '../../tags/fields.ts'
import type { SourceFormat } from './source-format.ts'

const ENTRY = fileURLToPath(new URL('../../tags/entry.ts', import.meta.url))

/** Half a second is usual; a busy machine takes a few. */
const LIMITS = {
  cpuS: 30,
  wallS: 120,
  heapBytes: 256 * 1024 ** 2,
  memoryBytes: 640 * 1024 ** 2,
  fileBytes: 8 * 1024 ** 2,
  outputBytes: 8 * 1024 ** 2,
}

const Answer = z.object({
  fields: z.array(Field),
  coverSizes: z.array(z.literal(COVER_SIZES)),
  skipped: z.array(z.string()),
})

type Cover = { size: CoverSize; bytes: Uint8Array }

/** What a file has beside its sound. */
export type Described = {
  fields: Field[]
  /** One cover of each size, or null. */
  covers: Cover[] | null
}

/**
 * Reads a file's tags and makes its covers, in a process of its own. Tags that can't be read, or
 * that take too much to read, are no reason to refuse the music.
 *
 * @param onSkipped told why a picture, or all the tags, were not used
 */
export async function readDescription(options: {
  folder: string
  file: string
  format: SourceFormat
  signal: AbortSignal
  onSkipped: (reason: string) => void
}): Promise<Described> {
  const { folder, file, format, signal, onSkipped } = options
  try {
    const answer = Answer.parse(
      JSON.parse(
        await runConfinedNode({
          module: ENTRY,
          args: [file, format.demuxer, ...COVER_SIZES.map(String)],
          folder,
          limits: LIMITS,
          signal,
        }),
      ),
    )
    answer.skipped.forEach(onSkipped)
    const covers: Cover[] = []
    for (const size of answer.coverSizes) {
      covers.push({ size, bytes: await readFile(join(folder, `cover-${size}.webp`)) })
    }
    return { fields: answer.fields, covers: covers.length > 0 ? covers : null }
  } catch (error) {
    if (!(error instanceof ConfinedNodeFailed)) throw error
    onSkipped(`the tags could not be read: ${error.message}`)
    return { fields: [], covers: null }
  }
}
