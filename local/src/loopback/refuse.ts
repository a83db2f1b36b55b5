import type { IncomingMessage, ServerResponse } from 'node:http'
import { whyRefused } from './refusal.js'

/** {@link whyRefused} for a request to a server of Node's. */
export function whyRequestRefused(
  request: IncomingMessage,
  door: { port: number; origins: readonly string[] },
): string | null {
  const { host, origin, 'sec-fetch-site': site } = request.headers
  return whyRefused({ host, origin, site: typeof site === 'string' ? site : undefined }, door)
}

/** Answers before the request's body was read; Node then reads and drops what is left of it. */
export function refuseEarly(response: ServerResponse, status: number, reason: string): void {
  const text = JSON.stringify({ message: reason })
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
