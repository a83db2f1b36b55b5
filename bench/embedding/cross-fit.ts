import { EMBEDDING_SIZE, embed } from '../../transcoder/src/audio/embedding.ts'
import { fitEmbedding } from '../../transcoder/src/audio/fit-embedding.ts'
import { summaryWeights } from '../../transcoder/src/audio/summary.ts'
import type { Item } from './corpus.ts'
import { pool, score, type Scores } from './score.ts'

/** Scores of the method, and the vectors of all items for each fold that was left out of a fit. */
export type CrossFit = { scores: Scores; byFold: Record<string, number[][]> }

/**
 * Scores each fold with constants fitted on the other folds only: what the method is worth on sound
 * that its constants have never met.
 *
 * @returns null where the other folds hold too few files to fit on
 */
export function crossFit(items: readonly Item[]): CrossFit | null {
  const folds = [...new Set(items.map(({ fold }) => fold))]
  const parts: Scores[] = []
  const byFold: CrossFit['byFold'] = {}
  for (const fold of folds) {
    const others = items.filter((item) => item.fold !== fold)
    if (others.length <= 2 * EMBEDDING_SIZE) return null
    const constants = fitEmbedding(
      others.map(({ summary }) => summary),
      { weights: summaryWeights() },
    )
    const refitted = items.map((item) => ({ ...item, embedding: embed(item.summary, constants) }))
    byFold[fold] = refitted.map(({ embedding }) => Array.from(embedding))
    parts.push(score(refitted, new Set([fold])))
  }
  return { scores: pool(parts), byFold }
}
