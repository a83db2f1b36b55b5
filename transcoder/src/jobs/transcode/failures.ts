import type { JobErrorCode } from '@mist/db/contract'

/**
 * The file can't become a track, whatever we do: the job ends at once and is never retried. The
 * message is a sentence for the admin.
 */
export class UnplayableSource extends Error {
  override name = 'UnplayableSource'
  readonly code: JobErrorCode

  constructor(code: JobErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Another run of the same job has taken over, or the job or track is gone: stop without a trace. */
export class Superseded extends Error {
  override name = 'Superseded'
}

/**
 * There are objects under the prefix of a version that is new here: a copy of this database, or what
 * it was before a backup was restored, has used that number. They are left alone; the next run takes
 * the next number.
 */
export class PrefixTaken extends Error {
  override name = 'PrefixTaken'
}

/** The transcoder is going down: the job goes back to the queue untouched. */
export class HandedBack extends Error {
  override name = 'HandedBack'
}

export { OutOfTime } from '../../platform/out-of-time.ts'

/** There is no room left in the work folder. */
export function isDiskFull(error: unknown): boolean {
  return chain(error).some(
    ({ code, message }) => code === 'ENOSPC' || /no space left on device/i.test(message),
  )
}

/** Codes of Node's sockets and DNS that mean "try again when it is back". */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
])

/**
 * SQLSTATEs that blame the moment, not the statement: connection lost (08), going down or starting
 * (57P01–57P03), too many connections, deadlock and serialisation (PostgreSQL, appendix A).
 */
const PASSING_SQLSTATE = /^(08...|57P0[123]|53300|40P01|40001)$/

const PASSING_MESSAGE =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|socket hang up|connection is closed|connection ended|client has encountered a connection error/i

/**
 * Says whether Postgres, S3 or Redis was away: no fault of the job, so that it waits instead of
 * failing.
 */
export function isOutage(error: unknown): boolean {
  return chain(error).some(
    ({ name, code, message, httpStatus }) =>
      NETWORK_CODES.has(code) ||
      PASSING_SQLSTATE.test(code) ||
      PASSING_MESSAGE.test(message) ||
      name === 'TimeoutError' ||
      httpStatus >= 500 ||
      httpStatus === 429 ||
      httpStatus === 408,
  )
}

/** The error and its causes (and the parts of an AggregateError), as far as they name themselves. */
function chain(error: unknown) {
  const found: { name: string; code: string; message: string; httpStatus: number }[] = []
  const open = [error]
  while (open.length > 0 && found.length < 20) {
    const next = open.shift()
    if (!(next instanceof Error)) continue
    found.push({
      name: next.name,
      code: 'code' in next ? String(next.code) : '',
      message: next.message,
      httpStatus: httpStatusOf(next),
    })
    open.push(next.cause)
    if (next instanceof AggregateError) open.push(...next.errors)
  }
  return found
}

function httpStatusOf(error: Error): number {
  const metadata: unknown = '$metadata' in error ? error.$metadata : null
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return 0
  return Number(metadata.httpStatusCode)
}
