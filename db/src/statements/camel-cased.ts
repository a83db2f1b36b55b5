/**
 * Spells the columns of a row of raw SQL as the code does: `track_id` becomes `trackId`. What a statement
 * builds itself as JSON is spelled right already and stays.
 */
export function camelCased(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )
}
