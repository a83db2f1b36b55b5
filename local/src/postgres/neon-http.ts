import type { IncomingHttpHeaders } from 'node:http'
import pg from 'pg'

/** One SQL statement as the driver sends it; parameters are text or `null`. */
type Statement = { query: string; params: unknown[]; arrayMode: boolean }

/** A request to `/sql`, read. */
export type NeonRequest = {
  statements: Statement[]
  isBatch: boolean
  isRawText: boolean
  /** What BEGIN is followed by in a batch. */
  characteristics: string
}

/** A request that is not what the protocol asks for. */
class BadRequest extends Error {}

const ISOLATION: Record<string, string> = {
  ReadUncommitted: 'ISOLATION LEVEL READ UNCOMMITTED',
  ReadCommitted: 'ISOLATION LEVEL READ COMMITTED',
  RepeatableRead: 'ISOLATION LEVEL REPEATABLE READ',
  Serializable: 'ISOLATION LEVEL SERIALIZABLE',
}

export const NeonRequest = {
  /** Reads a body and its headers as Neon's HTTP driver (1.x) writes them. */
  parse(text: string, headers: IncomingHttpHeaders): NeonRequest {
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      throw new BadRequest('the body is not JSON')
    }
    const arrayMode = headers['neon-array-mode'] === 'true'
    const batch = isRecord(body) ? body['queries'] : undefined
    const isBatch = batch !== undefined
    const queries = isBatch ? batch : [body]
    if (!Array.isArray(queries)) throw new BadRequest('"queries" is not a list')
    return {
      statements: queries.map((query) => readStatement(query, arrayMode)),
      isBatch,
      isRawText: headers['neon-raw-text-output'] === 'true',
      characteristics: isBatch ? readCharacteristics(headers) : '',
    }
  },
}

function readStatement(value: unknown, arrayModeOfRequest: boolean): Statement {
  const { query, params, arrayMode } = isRecord(value) ? value : {}
  if (typeof query !== 'string') throw new BadRequest('"query" is not a text')
  if (params !== undefined && !Array.isArray(params)) throw new BadRequest('"params" is not a list')
  return {
    query,
    params: params ?? [],
    arrayMode: typeof arrayMode === 'boolean' ? arrayMode : arrayModeOfRequest,
  }
}

function readCharacteristics(headers: IncomingHttpHeaders): string {
  const level = headers['neon-batch-isolation-level']
  const isolation = typeof level === 'string' ? ISOLATION[level] : ''
  if (isolation === undefined) throw new BadRequest(`no such isolation level: ${String(level)}`)
  return [
    isolation,
    headers['neon-batch-read-only'] === 'true' ? 'READ ONLY' : '',
    headers['neon-batch-deferrable'] === 'true' ? 'DEFERRABLE' : '',
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Leaves each value as the text in which Postgres sent it; the driver parses it. */
const RAW_TEXT = { getTypeParser: () => (text: string) => text }

/** Runs one statement in its own implicit transaction. */
export async function runOne(pool: pg.Pool, { statements, isRawText }: NeonRequest) {
  const [statement] = statements
  if (statement === undefined) throw new BadRequest('no statement')
  return run(pool, statement, isRawText)
}

/** Runs statements in one transaction; the first that fails undoes all. */
export async function runBatch(pool: pg.Pool, request: NeonRequest) {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    await client.query(`BEGIN ${request.characteristics}`)
    const results = []
    for (const statement of request.statements)
      results.push(await run(client, statement, request.isRawText))
    await client.query('COMMIT')
    return { results }
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    await client.query('ROLLBACK').then(
      () => (failure = undefined),
      () => {},
    )
    throw error
  } finally {
    // A connection that could not even roll back is of no use to the next request.
    client.release(failure)
  }
}

async function run(on: pg.Pool | pg.PoolClient, statement: Statement, isRawText: boolean) {
  const { query, params, arrayMode } = statement
  const config = {
    text: query,
    values: params,
    // Always the extended protocol: as on Neon, a request is one statement, never a script.
    queryMode: 'extended',
    ...(arrayMode && { rowMode: 'array' }),
    ...(isRawText && { types: RAW_TEXT }),
  }
  const { command, rowCount, rows, fields } = await on.query(config)
  return { command, rowCount, rows, fields, rowAsArray: arrayMode }
}

/** What Neon's driver copies from an error's body (its list of NeonDbError fields). */
const ERROR_FIELDS = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/** SQLSTATE classes in which the server, not the statement, is at fault: 08, 53 and 57P0x. */
const UNAVAILABLE = /^(?:08|53|57P0)/

/**
 * Turns a failure into an HTTP answer: 400 with Postgres's own fields when the statement is at
 * fault (the driver makes a NeonDbError of it), 503 when the database can't be asked now.
 */
export function toHttpError(error: unknown): { status: number; body: Record<string, unknown> } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof BadRequest) return { status: 400, body: { message } }
  if (error instanceof RangeError) return { status: 413, body: { message } }
  if (error instanceof pg.DatabaseError && !UNAVAILABLE.test(error.code ?? '')) {
    const body: Record<string, unknown> = { message }
    for (const field of ERROR_FIELDS) body[field] = error[field]
    return { status: 400, body }
  }
  return { status: 503, body: { message: `the database is not reachable: ${message}` } }
}
