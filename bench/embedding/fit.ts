/**
 * `npm run fit:embedding -- DIR…`: fits the embedding's constants to all audio under the folders
 * plus a fixed set of synthesised sounds, and writes them with the next version number.
 */
import { writeFile } from 'node:fs/promises'
import { EMBEDDING_VERSION } from '../../transcoder/src/audio/analyser.ts'
import { fitEmbedding } from '../../transcoder/src/audio/fit-embedding.ts'
import { analyseCorpus, listCorpus } from './corpus.ts'

const roots = process.argv.slice(2)
if (roots.length === 0) {
  console.error('usage: npm run fit:embedding -- DIR…')
  process.exit(2)
}
const target = new URL(
  '../../transcoder/src/audio/embedding-constants.generated.ts',
  import.meta.url,
)
const summaries: Float64Array[] = []
for (const root of roots) {
  const items = await analyseCorpus(await listCorpus(root))
  console.log(`${root}: ${items.length} files`)
  summaries.push(...items.map(({ summary }) => summary))
}
const { mean, deviation, projection } = fitEmbedding(summaries)
const list = (numbers: readonly number[]) =>
  `[${numbers.map((x) => Number(x.toPrecision(8))).join(',')}]`
await writeFile(
  target,
  `// Written by \`npm run fit:embedding\` from ${summaries.length} sounds; do not edit.
import type { EmbeddingConstants } from './embedding.ts'

/** Rises with every fit; stored beside each vector. */
export const EMBEDDING_VERSION = ${EMBEDDING_VERSION + 1}

export const EMBEDDING_CONSTANTS: EmbeddingConstants = {
  mean: ${list(mean)},
  deviation: ${list(deviation)},
  projection: ${list(projection)},
}
`,
)
console.log(`version ${EMBEDDING_VERSION + 1} fitted to ${summaries.length} sounds`)
