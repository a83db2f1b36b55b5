/** `npm run features -- FILE…`: prints each file's features and embedding as one line of JSON. */
import { analyseFile } from './analyse-file.ts'

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: npm run features -- FILE…')
  process.exitCode = 2
}
for (const file of files) {
  try {
    const { features, embedding, embeddingVersion } = await analyseFile(file)
    console.log(
      JSON.stringify({ file, features, embedding: Array.from(embedding), embeddingVersion }),
    )
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
