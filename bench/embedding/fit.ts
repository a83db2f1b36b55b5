/**
 * `npm run fit:embedding -- DIR…`: fits the embedding's constants to all audio under the folders and
 * writes them with the next version number. Files longer than 20 s count whole and in pieces of 10 s,
 * so that music weighs as much as it lasts.
 */
import { writeFile } from 'node:fs/promises'
import {
  ANALYSIS_RATE_HZ,
  EMBEDDING_VERSION,
  makeAnalyser,
} from '../../transcoder/src/audio/analyser.ts'
import { fitEmbedding } from '../../transcoder/src/audio/fit-embedding.ts'
import { summaryWeights } from '../../transcoder/src/audio/summary.ts'
import { decodePcm } from '../../transcoder/src/cli/decode-pcm.ts'
import { listCorpus } from './corpus.ts'

const PIECE = 10 * ANALYSIS_RATE_HZ

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
  const before = summaries.length
  for (const { file } of await listCorpus(root)) {
    const chunks: Float32Array[] = []
    await decodePcm(file, (samples) => chunks.push(samples))
    const samples = Float32Array.from(chunks.flatMap((chunk) => Array.from(chunk)))
    summaries.push(summaryOf(samples))
    for (let at = 0; samples.length > 2 * PIECE && at + PIECE <= samples.length; at += PIECE) {
      summaries.push(summaryOf(samples.subarray(at, at + PIECE)))
    }
  }
  console.log(`${root}: ${summaries.length - before} sounds`)
}
const { mean, deviation, projection } = fitEmbedding(summaries, {
  weights: summaryWeights(),
})
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

function summaryOf(samples: Float32Array): Float64Array {
  const analyser = makeAnalyser()
  analyser.push(samples)
  return analyser.finish().fitting.summary
}
