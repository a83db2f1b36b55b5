import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serveRequests } from '../platform/confined-loop.ts'
import { isTaggedFormat, readFileTags } from './file-tags.ts'

/** What `tag-reader.ts` asks for: a file's tags and covers of these sizes, or a cover's colours. */
type Request =
  | { kind: 'file'; folder: string; file: string; format: string; sizes: number[] }
  | { kind: 'cover'; folder: string; file: string }

/**
 * The program that reads files' tags and makes their covers, asked by `tag-reader.ts` and within its
 * limits. It writes `cover-SIZE.webp` into the job's folder and answers with the rest. It imports
 * neither the contract nor zod, which would take longer to load than most files take to read.
 */
// What `tag-reader.ts` writes is a Request; a schema would cost more than it could find.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
await serveRequests((request) => answer(request as Request))

async function answer(request: Request): Promise<unknown> {
  const { folder, file } = request
  // Loaded for the first picture: files without one need no libvips.
  if (request.kind === 'cover') {
    const { coloursOf } = await import('./covers.ts')
    return coloursOf(await readFile(join(folder, file)))
  }
  const { format, sizes } = request
  if (!isTaggedFormat(format)) throw new TypeError(`no format is called ${format}`)
  const { fields, pictures } = await readFileTags(join(folder, file), format)
  const skipped: string[] = []
  if (pictures.length === 0 || sizes.length === 0) {
    return { fields, coverSizes: [], colours: null, skipped }
  }
  const { makeCovers } = await import('./covers.ts')
  const made = await makeCovers(pictures, sizes, (reason) => {
    skipped.push(reason.split('\n')[0]!.slice(0, 300))
  })
  for (const { size, bytes } of made?.covers ?? []) {
    await writeFile(join(folder, `cover-${size}.webp`), bytes)
  }
  const coverSizes = (made?.covers ?? []).map(({ size }) => size)
  return { fields, coverSizes, colours: made?.colours ?? null, skipped }
}
