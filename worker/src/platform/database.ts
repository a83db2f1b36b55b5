import { neon, neonConfig, NeonDbError } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'
import { z } from 'zod'

/** A statement that takes longer than this is given up. */
const DEADLINE_MS = 10_000

/**
 * Fetches with a deadline for the answer to begin; it comes in one piece. Not AbortSignal.timeout: its
 * timer cannot be cleared, and at hundreds of statements a second thousands of them would wait in the
 * isolate. No AbortController either: a statement given up is dropped with the request anyway.
 */
async function fetchWithDeadline(url: string, init: RequestInit): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DOMException('the database took too long', 'TimeoutError')),
      DEADLINE_MS,
    )
  })
  try {
    return await Promise.race([fetch(url, init), deadline])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Opens the database over Neon's HTTP protocol: each statement is one request, so there is no
 * connection to keep and nothing that would outlive a request.
 *
 * @param proxyUrl origin of a proxy that speaks the protocol; without it the driver asks Neon
 */
export function makeDatabase({
  databaseUrl,
  proxyUrl,
}: {
  databaseUrl: string
  proxyUrl?: string | undefined
}) {
  if (proxyUrl !== undefined) neonConfig.fetchEndpoint = `${proxyUrl}/sql`
  neonConfig.fetchFunction = fetchWithDeadline
  return drizzle(neon(databaseUrl))
}

export type Database = ReturnType<typeof makeDatabase>

/** A parameter of a statement, as Neon's protocol takes it. */
export type Param = string | number | boolean | null

/** Runs one statement whose answer is one JSON value, and answers with that, unparsed by any schema. */
export type JsonQuery = (statement: string, params: Param[]) => Promise<unknown>

/** The one value of an answer of one row, as text. No schema: every key waits for this. */
function onlyValue(answer: unknown): string {
  const rows =
    typeof answer === 'object' && answer !== null && 'rows' in answer ? answer.rows : undefined
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined
  const value: unknown = Array.isArray(row) ? row[0] : undefined
  if (typeof value !== 'string') throw new TypeError('the statement did not answer with one value')
  return value
}

const Failure = z.looseObject({ message: z.string() })

/** What a statement failed with, as the driver would say it. */
async function failureOf(response: Response): Promise<NeonDbError> {
  const text = await response.text()
  if (response.status !== 400) return new NeonDbError(`HTTP ${response.status}: ${text}`)
  const { message, ...fields } = Failure.parse(JSON.parse(text))
  return Object.assign(new NeonDbError(message), fields)
}

/**
 * The meter's own way to the database, for it is asked at every key: Neon's protocol in its plainest
 * form. The driver takes the connection string apart and puts it together again for every statement,
 * looks up parsers for each column and builds rows.
 */
export function makeJsonQuery({
  databaseUrl,
  proxyUrl,
}: {
  databaseUrl: string
  proxyUrl?: string | undefined
}): JsonQuery {
  const { hostname, port } = new URL(databaseUrl)
  const { fetchEndpoint } = neonConfig
  const endpoint =
    proxyUrl !== undefined
      ? `${proxyUrl}/sql`
      : typeof fetchEndpoint === 'string'
        ? fetchEndpoint
        : fetchEndpoint(hostname, port)
  const headers = {
    'neon-connection-string': databaseUrl,
    'neon-raw-text-output': 'true',
    'neon-array-mode': 'true',
  }

  return async function queryJson(query, params) {
    let response: Response
    try {
      response = await fetchWithDeadline(endpoint, {
        method: 'POST',
        headers,
        // As text, which is how the driver sends them, too.
        body: JSON.stringify({
          query,
          params: params.map((param) => (param === null ? null : String(param))),
        }),
      })
    } catch (error) {
      throw Object.assign(new NeonDbError(`not reachable: ${String(error)}`), { cause: error })
    }
    if (!response.ok) throw await failureOf(response)
    return JSON.parse(onlyValue(await response.json()))
  }
}

function findDatabaseError(error: unknown): NeonDbError | null {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof NeonDbError) return at
  return null
}

/** SQLSTATE classes in which the server, not the statement, is at fault. */
const UNAVAILABLE = /^(?:08|53|57P0)/

/** Tells whether a failure means that the database could not be reached (Neon answers 4xx otherwise). */
export function isDatabaseUnavailable(error: unknown): boolean {
  const found = findDatabaseError(error)
  return found !== null && (found.code === undefined || UNAVAILABLE.test(found.code))
}

/**
 * Tells whether a statement failed for a value that Postgres cannot take (SQLSTATE class 22). The
 * schemas at the door should have refused it.
 */
export function isUnusableValue(error: unknown): boolean {
  return findDatabaseError(error)?.code?.startsWith('22') === true
}

/** The unique constraint that a statement ran into, or null when it failed for another reason. */
export function violatedUnique(error: unknown): string | null {
  const found = findDatabaseError(error)
  return found?.code === '23505' ? (found.constraint ?? '') : null
}
