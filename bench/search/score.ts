import { printTable } from '../lib/report.ts'
import type { EntryType } from './entries.ts'
import { QUERY_CLASSES, type Query } from './queries.ts'

/** Something that finds: the identifiers of a type, the best first. */
export type Finder = (text: string) => Promise<Record<EntryType, string[]>>

/** How far down the list of its type the answer was; null where it was not found. */
export type Outcome = Query & { rank: number | null }

/** Asks all queries, one after the other. */
export async function ask(find: Finder, queries: readonly Query[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const query of queries) {
    const index = (await find(query.text))[query.type].indexOf(query.meant)
    outcomes.push({ ...query, rank: index < 0 ? null : index + 1 })
  }
  return outcomes
}

/** Share of the outcomes whose answer is among the first `ranks`. */
function shareWithin(outcomes: readonly Outcome[], ranks: number): number {
  return outcomes.filter(({ rank }) => rank !== null && rank <= ranks).length / outcomes.length
}

export type ClassScore = {
  class: string
  queries: number
  leftOut: number
  first: number
  five: number
  goal: { first: number; five: number } | null
  isReached: boolean | null
}

/** Sums up by class of query. */
export function score(outcomes: readonly Outcome[], leftOut: Record<string, number>): ClassScore[] {
  return [...new Set(outcomes.map((outcome) => outcome.class))].map((name) => {
    const own = outcomes.filter((outcome) => outcome.class === name)
    const goal = QUERY_CLASSES.find((each) => each.name === name)?.goal ?? null
    const first = shareWithin(own, 1)
    const five = shareWithin(own, 5)
    return {
      class: name,
      queries: own.length,
      leftOut: leftOut[name] ?? 0,
      first,
      five,
      goal,
      isReached: goal && first >= goal.first && five >= goal.five,
    }
  })
}

const share = (value: number) => value.toFixed(3)

export function printScores(title: string, scores: readonly ClassScore[]): void {
  console.log(`\n${title}`)
  printTable(
    ['query', 'asked', 'ambiguous', 'rank 1', 'first 5', 'goal', ''],
    scores.map(({ class: name, queries, leftOut, first, five, goal, isReached }) => [
      name,
      queries,
      leftOut,
      share(first),
      share(five),
      goal ? `${share(goal.first)} ${share(goal.five)}` : '',
      isReached === null ? '' : isReached ? 'reached' : 'MISSED',
    ]),
  )
}

/** The same by script, for the classes that have a goal. */
export function printByScript(outcomes: readonly Outcome[]): void {
  console.log('\nrank 1 (first 5) by script')
  const classes = QUERY_CLASSES.filter(({ goal }) => goal).map(({ name }) => name)
  printTable(
    ['script', ...classes],
    [...new Set(outcomes.map(({ script }) => script))].map((script) => [
      script,
      ...classes.map((name) => {
        const own = outcomes.filter((each) => each.script === script && each.class === name)
        if (own.length === 0) return '–'
        return `${share(shareWithin(own, 1))} (${share(shareWithin(own, 5))}) of ${own.length}`
      }),
    ]),
  )
}
