/**
 * Describes an error and what caused it. Drizzle's own errors quote the parameters, which may be
 * secrets, so of those only the statement is kept.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) }
  if ('query' in error && 'params' in error)
    return { name: 'QueryFailed', query: String(error.query), ...cause }
  return { name: error.name, message: error.message, stack: error.stack, ...cause }
}
