import { writeFile } from 'node:fs/promises'
import type { FileTags } from './fields.ts'
import { isTaggedFormat, readFileTags } from './file-tags.ts'

/**
 * The program that reads a file's tags and makes its covers, run by `tag-reader.ts` within limits
 * and in the job's folder: `entry.ts FILE FORMAT SIZE…`. It writes `cover-SIZE.webp` and prints what
 * it has found as one line of JSON. It imports neither the contract nor zod, which would take longer
 * to load than most files take to read.
 */
const [file = '', format = '', ...sizes] = process.argv.slice(2)
if (!isTaggedFormat(format)) throw new TypeError(`no format is called ${format}`)

const tags: FileTags = await readFileTags(file, format)
const skipped: string[] = []
let coverSizes: number[] = []
if (tags.pictures.length > 0) {
  const { makeCovers } = await import('./covers.ts')
  const covers = await makeCovers(tags.pictures, sizes.map(Number), (reason) => {
    skipped.push(reason.split('\n')[0]!.slice(0, 300))
  })
  for (const { size, bytes } of covers ?? []) await writeFile(`cover-${size}.webp`, bytes)
  coverSizes = (covers ?? []).map(({ size }) => size)
}
process.stdout.write(JSON.stringify({ fields: tags.fields, coverSizes, skipped }))
