/** What of a whole object is wanted: all of it, one range of bytes, or a range that it does not have. */
type Wanted = { kind: 'whole' } | { kind: 'range'; from: number; to: number } | { kind: 'none' }

const WHOLE = { kind: 'whole' } as const

/**
 * Reads a `Range` header for an object of `size` bytes (RFC 9110 §14). What is not understood is
 * ignored, as §14.2 asks: another unit, bad syntax; and so are several ranges, which may be.
 */
function readRange(header: string | null, size: number): Wanted {
  const set = /^bytes=(.*)$/i.exec(header ?? '')?.[1]
  if (set === undefined) return WHOLE
  // §5.6.1: a list may have empty elements, and blanks around each.
  const specs = set
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '')
  const found = specs.length === 1 ? /^(\d*)-(\d*)$/.exec(specs[0] ?? '') : null
  if (!found) return WHOLE
  const [, first = '', last = ''] = found
  if (first === '') {
    if (last === '') return WHOLE
    const length = Math.min(Number(last), size)
    return length === 0 ? { kind: 'none' } : { kind: 'range', from: size - length, to: size - 1 }
  }
  if (last !== '' && Number(last) < Number(first)) return WHOLE
  if (Number(first) >= size) return { kind: 'none' }
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return { kind: 'range', from: Number(first), to }
}

type Validators = { etag: string | null; lastModified: string | null }

/** `W/"x"` and `"x"` name the same where only the meaning counts (§8.8.3.2, weak comparison). */
const weakly = (etag: string) => etag.trim().replace(/^W\//, '')

function names(list: string, etag: string | null, isSame: (a: string, b: string) => boolean) {
  if (list.trim() === '*') return true
  return etag !== null && list.split(',').some((each) => isSame(each.trim(), etag))
}

const strongly = (a: string, b: string) => a === b && !a.startsWith('W/')

/** Whether `date` is one, and the object is not newer. */
function isNotNewer({ lastModified }: Validators, date: string): boolean {
  const [since, changed] = [Date.parse(date), Date.parse(lastModified ?? '')]
  return Number.isFinite(since) && Number.isFinite(changed) && changed <= since
}

/**
 * Evaluates a GET's or HEAD's conditions in the order of RFC 9110 §13.2.2.
 *
 * @returns the status that they lead to, or null where the object is to be sent
 */
function readConditions(headers: Headers, validators: Validators): 304 | 412 | null {
  const { etag } = validators
  const ifMatch = headers.get('if-match')
  if (ifMatch !== null && !names(ifMatch, etag, strongly)) return 412
  const unmodified = headers.get('if-unmodified-since')
  if (ifMatch === null && unmodified !== null && Number.isFinite(Date.parse(unmodified)))
    if (!isNotNewer(validators, unmodified)) return 412
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null)
    return names(ifNoneMatch, etag, (a, b) => weakly(a) === weakly(b)) ? 304 : null
  const since = headers.get('if-modified-since')
  return since !== null && isNotNewer(validators, since) ? 304 : null
}

/** Whether a `Range` counts (§13.1.5): without `If-Range`, or where it names exactly this object. */
function isRangeValid(headers: Headers, { etag, lastModified }: Validators): boolean {
  const ifRange = headers.get('if-range')?.trim()
  if (ifRange === undefined) return true
  return ifRange.includes('"')
    ? etag !== null && strongly(ifRange, etag)
    : lastModified !== null && Date.parse(ifRange) === Date.parse(lastModified)
}

/** The headers that ask for anything but the whole object. */
const ASKING = ['range', 'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since']

/**
 * Answers a GET or HEAD with what it wants of a whole object. The edge's cache could cut ranges
 * itself, but it is not asked to: it takes an unknown unit, or several ranges, for a fault.
 *
 * @param whole 200, with headers that may be changed
 */
export async function answerWith(whole: Response, request: Request): Promise<Response> {
  // The usual case streams through, as it is.
  if (!ASKING.some((name) => request.headers.has(name))) return whole
  const { headers } = whole
  const validators = { etag: headers.get('etag'), lastModified: headers.get('last-modified') }
  const status = readConditions(request.headers, validators)
  if (status !== null) {
    await whole.body?.cancel()
    headers.delete('content-length')
    headers.delete('content-type')
    return new Response(null, { status, headers })
  }
  // §14.2: a Range has a meaning for GET alone.
  const range =
    request.method === 'GET' && isRangeValid(request.headers, validators)
      ? request.headers.get('range')
      : null
  if (range === null) return whole
  const bytes = await whole.arrayBuffer()
  const wanted = readRange(range, bytes.byteLength)
  if (wanted.kind === 'whole') return new Response(bytes, { headers })
  if (wanted.kind === 'none') {
    const unsatisfied = { 'content-range': `bytes */${bytes.byteLength}`, 'accept-ranges': 'bytes' }
    return new Response(null, { status: 416, headers: unsatisfied })
  }
  const { from, to } = wanted
  headers.set('content-range', `bytes ${from}-${to}/${bytes.byteLength}`)
  headers.set('content-length', String(to - from + 1))
  return new Response(bytes.slice(from, to + 1), { status: 206, headers })
}
