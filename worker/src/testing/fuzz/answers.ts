import { PROBLEMS, type ProblemCode } from '@mist/db/contract'
import type { OpenApi, Operation } from './openapi-document.ts'
import type { FuzzRequest } from './requests.ts'

/** What no refusal may say. */
const INTERNALS =
  /sqlstate|postgres|neon|zod|drizzle|\bselect\b.*\bfrom\b|\binsert into\b|\.ts\b|127\.0\.0\.1|\[object|\bat .*:\d+|stack/i

/** In ASCII: what reports tests takes no half of a surrogate pair. */
const ascii = (text: string) =>
  text.replaceAll(
    /[^\n\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Prints a request so that it can be sent again. */
export function printed({ method, url, headers, body }: FuzzRequest): string {
  const text = body instanceof Uint8Array ? `bytes ${body.toString()}` : JSON.stringify(body)
  const sent = headers.map(([name, value]) => `  ${name}: ${JSON.stringify(value.slice(0, 120))}`)
  return ascii([`${method} ${url.slice(0, 400)}`, ...sent, `  ${text.slice(0, 400)}`].join('\n'))
}

/** What is wrong with an answer; null: nothing. */
export async function complaintAbout(
  { method }: FuzzRequest,
  response: Response,
  operation: Operation | null,
  openApi: OpenApi,
): Promise<string | null> {
  const wrong = whatIsWrong(method, response, await response.text(), operation, openApi)
  return wrong === null ? null : ascii(wrong)
}

function whatIsWrong(
  method: string,
  response: Response,
  text: string,
  operation: Operation | null,
  openApi: OpenApi,
): string | null {
  const { status } = response
  if (status >= 500) return `answered ${status}: ${text}`
  const declared = operation?.responses[String(status)]
  if (operation && !declared) return `answered ${status}, which is not documented: ${text}`
  const type = response.headers.get('content-type')?.split(';')[0]
  if (method === 'HEAD') return text === '' ? null : `answered HEAD with a body: ${text}`
  if (status >= 400) return problemComplaint(status, type, text)
  const content = declared?.content?.[type ?? '']
  if (declared?.content && !content) return `answered ${type}, which is not documented`
  if (type !== 'application/json' || !content?.schema) return null
  return openApi.complaint(content.schema, JSON.parse(text))
}

function problemComplaint(status: number, type: string | undefined, text: string): string | null {
  if (type !== 'application/problem+json') return `answered ${status} with ${type}`
  const problem = JSON.parse(text) as Record<string, unknown>
  const code = String(problem['type']).split('/').at(-1) as ProblemCode
  const known = PROBLEMS[code] as { status: number; title: string } | undefined
  if (known?.status !== status || problem['status'] !== status || known.title !== problem['title'])
    return `is no problem of ours: ${text}`
  for (const field of ['detail', 'instance', 'requestId'])
    if (typeof problem[field] !== 'string') return `has no ${field}: ${text}`
  if (INTERNALS.test(String(problem['detail']))) return `tells internals: ${text}`
  if (text.length > 20_000) return `has ${text.length} characters`
  return null
}
