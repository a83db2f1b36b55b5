import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serveRequests } from '../platform/confined-loop.ts'
import { isTaggedFormat, readFileTags } from './file-tags.ts'

/**
 * The program that reads files' tags and makes their covers, asked by `tag-reader.ts` and within its
 * limits. It writes `cover-SIZE.webp` into the job's folder and answers with the rest. It imports
 * neither the contract nor zod, which would take longer to load than most files take to read.
 */
await serveRequests(async (request) => {
  const { folder, file, format, sizes } = request as {
    folder: string
    file: string
    format: string
    sizes: number[]
  }
  if (!isTaggedFormat(format)) throw new TypeError(`no format is called ${format}`)
  const { fields, pictures } = await readFileTags(join(folder, file), format)
  const skipped: string[] = []
  let coverSizes: number[] = []
  if (pictures.length > 0 && sizes.length > 0) {
    // Loaded for the first picture: files without one need no libvips.
    const { makeCovers } = await import('./covers.ts')
    const covers = await makeCovers(pictures, sizes, (reason) => {
      skipped.push(reason.split('\n')[0]!.slice(0, 300))
    })
    for (const { size, bytes } of covers ?? []) {
      await writeFile(join(folder, `cover-${size}.webp`), bytes)
    }
    coverSizes = (covers ?? []).map(({ size }) => size)
  }
  return { fields, coverSizes, skipped }
})
