import { EMBEDDING_SIZE, embed } from '../../transcoder/src/audio/embedding.ts'
import { fitEmbedding } from '../../transcoder/src/audio/fit-embedding.ts'
import { summaryWeights } from '../../transcoder/src/audio/summary.ts'
import type { Item } from './corpus.ts'
import { pool, score, type Scores } from './score.ts'

/**
 * Scores each fold with constants fitted on the other folds only: what the method is worth on sound
 * that its constants have never met.
 *
 * @returns null where the other folds hold too few files to fit on
 */
export function crossFit(items: readonly Item[]): Scores | null {
  const folds = [...new Set(items.map(({ fold }) => fold))]
  const parts: Scores[] = []
  for (const fold of folds) {
    const others = items.filter((item) => item.fold !== fold)
    if (others.length <= 2 * EMBEDDING_SIZE) return null
    const constants = fitEmbedding(
      others.map(({ summary }) => summary),
      { weights: summaryWeights() },
    )
    const refitted = items.map((item) => ({ ...item, embedding: embed(item.summary, constants) }))
    parts.push(score(refitted, new Set([fold])))
  }
  return pool(parts)
}
