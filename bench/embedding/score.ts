/** A vector to be scored: compared by cosine, so it must have length 1. */
export type Labelled = { label: string; fold: string; embedding: Float32Array }

/** How well neighbours share a label; all are shares, 0 … 1. */
export type Scores = {
  /** k-nearest-neighbour accuracy; a query's neighbours come from the other folds only. */
  knn1: number
  knn5: number
  /** Of each query's ten nearest among all others, how many share its label. */
  precisionAt10: number
  /** Mean average precision of each query's ranking of all others. */
  meanAveragePrecision: number
  queries: number
}

/** Scores every query whose fold is in `folds` (all, if not given) against all other items. */
export function score(items: readonly Labelled[], folds?: ReadonlySet<string>): Scores {
  const queries = items.filter((item) => !folds || folds.has(item.fold))
  const sums = { knn1: 0, knn5: 0, precisionAt10: 0, meanAveragePrecision: 0 }
  for (const query of queries) {
    const ranking = items
      .filter((item) => item !== query)
      .map((item) => ({ item, similarity: dot(item.embedding, query.embedding) }))
      .sort((a, b) => b.similarity - a.similarity)
    const elsewhere = ranking.filter(({ item }) => item.fold !== query.fold)
    if (vote(elsewhere.slice(0, 1)) === query.label) sums.knn1++
    if (vote(elsewhere.slice(0, 5)) === query.label) sums.knn5++
    const hits = ranking.map(({ item }) => item.label === query.label)
    sums.precisionAt10 += hits.slice(0, 10).filter(Boolean).length / Math.min(10, hits.length)
    sums.meanAveragePrecision += averagePrecision(hits)
  }
  const count = Math.max(1, queries.length)
  return {
    knn1: sums.knn1 / count,
    knn5: sums.knn5 / count,
    precisionAt10: sums.precisionAt10 / count,
    meanAveragePrecision: sums.meanAveragePrecision / count,
    queries: queries.length,
  }
}

/** Adds up scores of disjoint sets of queries. */
export function pool(parts: readonly Scores[]): Scores {
  const queries = parts.reduce((sum, part) => sum + part.queries, 0)
  const mean = (of: (part: Scores) => number) =>
    parts.reduce((sum, part) => sum + of(part) * part.queries, 0) / Math.max(1, queries)
  return {
    knn1: mean((part) => part.knn1),
    knn5: mean((part) => part.knn5),
    precisionAt10: mean((part) => part.precisionAt10),
    meanAveragePrecision: mean((part) => part.meanAveragePrecision),
    queries,
  }
}

/** The label of most neighbours; between equals, the one whose neighbours are nearer. */
function vote(neighbours: readonly { item: Labelled; similarity: number }[]): string | null {
  const votes = new Map<string, number>()
  for (const { item, similarity } of neighbours) {
    // A similarity is at most 1, so ten per vote keeps the count in charge.
    votes.set(item.label, (votes.get(item.label) ?? 0) + 10 + similarity)
  }
  const [best] = [...votes].sort((a, b) => b[1] - a[1])
  return best ? best[0] : null
}

function averagePrecision(hits: readonly boolean[]): number {
  let found = 0
  let sum = 0
  hits.forEach((hit, i) => {
    if (!hit) return
    found++
    sum += found / (i + 1)
  })
  return found === 0 ? 0 : sum / found
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
