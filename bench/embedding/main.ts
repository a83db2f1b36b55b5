/**
 * `npm run bench:embedding -- CORPUS_DIR [--dump FILE]`: scores the embedding on a labelled folder
 * tree, with the shipped constants and with constants fitted on the other folds only.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { EMBEDDING_VERSION } from '../../transcoder/src/audio/analyser.ts'
import { analyseCorpus, listCorpus } from './corpus.ts'
import { crossFit } from './cross-fit.ts'
import { score, type Scores } from './score.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { dump: { type: 'string' } },
})
const root = positionals[0]
if (root === undefined) {
  console.error('usage: npm run bench:embedding -- CORPUS_DIR [--dump FILE]')
  process.exit(2)
}

const files = await listCorpus(root)
if (files.length === 0) throw new Error(`No audio files under ${root}`)
const started = performance.now()
const items = await analyseCorpus(files)
const labels = new Set(files.map(({ label }) => label)).size
const folds = new Set(files.map(({ fold }) => fold)).size
console.log(
  `${files.length} files, ${labels} labels, ${folds} folds, embedding version ${EMBEDDING_VERSION}, ` +
    `${((performance.now() - started) / 1000).toFixed(1)} s`,
)

console.log('constants              k-NN(1)  k-NN(5)   P@10    mAP')
print('as shipped', score(items))
const refitted = crossFit(items)
if (refitted) print('fitted on other folds', refitted.scores)
else console.log('too few files to fit constants on the other folds')

if (values.dump !== undefined) {
  const vectors = items.map(({ file, label, fold, embedding }) => {
    return { file, label, fold, embedding: Array.from(embedding) }
  })
  // `crossFitted[fold][i]` is `vectors[i]` under constants that never met that fold.
  const crossFitted = refitted?.byFold ?? null
  const dump = { embeddingVersion: EMBEDDING_VERSION, vectors, crossFitted }
  await writeFile(values.dump, JSON.stringify(dump))
}

function print(name: string, scores: Scores): void {
  const { knn1, knn5, precisionAt10, meanAveragePrecision } = scores
  const cells = [knn1, knn5, precisionAt10, meanAveragePrecision].map((share) =>
    `${(100 * share).toFixed(1)} %`.padStart(8),
  )
  console.log(`${name.padEnd(22)}${cells.join('')}`)
}
