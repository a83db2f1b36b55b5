import {
  Agent,
  createServer,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { refuseEarly, whyRequestRefused } from './loopback/refuse.ts'
import { makePartList } from './part-list.ts'

/** What {@link startS3Gateway} needs. */
export type S3GatewayOptions = {
  /** Port of the S3 endpoint behind, on 127.0.0.1. */
  upstreamPort: number
  /** Path below which S3 answers to clients; the endpoint behind answers at `/`. */
  path: string
  /** 0 lets the system choose. */
  port: number
  /** Origins of the pages that may use it; programs that are no browsers always may. */
  allowedOrigins: readonly string[]
  /** Added to each request, in milliseconds, to imitate a distant store in benchmarks. */
  latencyMs?: number
}

/** Sockets that idle longer are closed by us: workerd closes its end after five seconds. */
const IDLE_SOCKET_MS = 3_000
/** How long the endpoint may take to say why it hung up on an upload. */
const REASON_WITHIN_MS = 5_000

/**
 * Puts CORS in front of an S3 endpoint that has none, so that the web app's pages may PUT uploads to
 * it, and nobody else's. Bodies stream both ways; Host and query pass unchanged, because S3
 * signatures cover them: clients sign for the gateway's address and never see the one behind.
 */
export async function startS3Gateway(options: S3GatewayOptions) {
  const { upstreamPort, path, allowedOrigins, latencyMs = 0 } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: IDLE_SOCKET_MS })
  // No time limit on a whole request: 2 GB over a slow line take their time.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 65_000, noDelay: true })

  const partList = makePartList()

  server.on('request', (request, response) => {
    const reason = whyRequestRefused(request, { port: boundPort, origins: allowedOrigins })
    if (reason !== null) return refuseEarly(response, 403, reason)
    const target = targetOf(request.url, path)
    // The endpoint behind can do more than S3, without asking for a signature.
    if (target === null) return refuseEarly(response, 404, `S3 answers below ${path}`)
    const cors = corsFor(request)
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { ...cors, ...preflight(request) }).end()
      return
    }
    const listed = partList.answer(request)
    if (listed !== null) {
      response.writeHead(200, { ...cors, 'content-type': 'application/xml' }).end(listed)
      return
    }
    if (latencyMs > 0) void sleep(latencyMs).then(() => forward(request, response, target))
    else forward(request, response, target)
  })

  function ask(request: IncomingMessage, target: string): ClientRequest {
    const { method } = request
    return httpRequest({
      agent,
      host: '127.0.0.1',
      port: upstreamPort,
      method,
      path: target,
      headers: headersFor(request),
    })
  }

  function forward(request: IncomingMessage, response: ServerResponse, target: string): void {
    const upstream = ask(request, target)
    upstream.once('response', (answer) => {
      partList.observe(request, answer)
      if (!request.complete) {
        // A refusal before all of the body was read: the endpoint takes no more of it.
        request.unpipe(upstream)
        answer.once('close', () => upstream.destroy())
      }
      pass(request, response, answer)
    })
    upstream.once('error', () => {
      if (response.headersSent || response.destroyed) return
      if (hasBody(request)) explain(request, response, target)
      else if (upstream.reusedSocket) forward(request, response, target) // closed while it idled
      else giveUp(request, response)
    })
    upstream.on('error', () => {}) // one that follows an answer or the first error says nothing new
    response.once('close', () => upstream.destroy())
    request.pipe(upstream)
  }

  /**
   * Finds out why the endpoint hung up on an upload. It refuses by the headers alone, and closes the
   * connection, which destroys its answer when more of the body was on its way. Asked once more
   * without the body, its answer arrives. (An upload without its body is never stored.)
   */
  function explain(request: IncomingMessage, response: ServerResponse, target: string): void {
    request.unpipe()
    const again = ask(request, target)
    again.once('response', (answer) => {
      answer.once('close', () => again.destroy())
      pass(request, response, answer)
    })
    again.once('error', () => giveUp(request, response))
    again.on('error', () => {})
    again.setTimeout(REASON_WITHIN_MS, () => again.destroy(new Error('no reason given')))
    response.once('close', () => again.destroy())
    again.flushHeaders()
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: options.port }, resolve)
  })
  const address = server.address()
  const boundPort = address !== null && typeof address === 'object' ? address.port : options.port
  return {
    port: boundPort,
    /** Ends all requests. */
    async stop(): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

function pass(request: IncomingMessage, response: ServerResponse, answer: IncomingMessage): void {
  const { connection: _connection, 'keep-alive': _keepAlive, ...headers } = answer.headers
  response.writeHead(answer.statusCode ?? 502, { ...headers, ...corsFor(request) })
  answer.pipe(response)
  answer.once('error', () => response.destroy())
  drain(request)
}

function giveUp(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return
  request.unpipe()
  response.writeHead(503, { ...corsFor(request), 'retry-after': '1' }).end()
  drain(request)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined
}

/**
 * Reads and drops the rest of a body. Unread, it would stand before the next request on
 * the connection, which would then wait until the connection is closed for idling.
 */
function drain(request: IncomingMessage): void {
  if (!request.complete) request.resume()
}

/** Where the endpoint behind finds what a client asks for; `null` when that is not S3's. */
function targetOf(url: string | undefined, path: string): string | null {
  if (url?.startsWith(`${path}/`) !== true) return null
  // Not a way out of it, however it is spelled: /s3/../public, /s3/%2e%2e/public.
  const { pathname } = new URL(url, 'http://localhost')
  return pathname.startsWith(`${path}/`) ? url.slice(path.length) : null
}

/** The endpoint refuses requests of other origins' pages, and takes orders in headers of its own. */
function headersFor(request: IncomingMessage): OutgoingHttpHeaders {
  const passed = Object.entries(request.headers).filter(
    ([name]) =>
      !['origin', 'referer', 'connection', 'keep-alive'].includes(name) && !name.startsWith('mf-'),
  )
  return Object.fromEntries(passed)
}

/** What the page that asks may see of an answer, as one configures for a bucket. */
function corsFor({ headers: { origin } }: IncomingMessage): Record<string, string> {
  if (origin === undefined) return {}
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'ETag, Content-Length, Content-Range, Accept-Ranges',
    vary: 'origin',
  }
}

function preflight(request: IncomingMessage): Record<string, string> {
  return {
    'access-control-allow-methods': 'GET, HEAD, PUT, POST, DELETE',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    'access-control-max-age': '86400',
  }
}
